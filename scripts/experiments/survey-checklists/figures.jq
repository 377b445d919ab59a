# How many rows have a command, a command for a part of them, none.
def of($state): map(select(.state == $state)) | length;
{rows: length, done: of("done"), part: of("part"), not_yet: of("not yet")}

# Lines of "plot intervals": rows by survey and state.
.tables | group_by(.survey)[] | (.[0].survey | if test("multilingual") then "multilingual" else "large models" end) as $survey
| ["done", "part", "not yet"] as $states
| range(3) as $i | (map(select(.state == $states[$i])) | length) as $n
| ["\($survey): \($states[$i])", $n, 0, $n, ([0, 2, 1][$i])] | @tsv

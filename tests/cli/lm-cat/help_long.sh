# Every group is there and the page ends with the exit statuses and the references.
lm-cat --help | grep -E '^[A-Z][A-Za-z ]+:|^usage|^See'

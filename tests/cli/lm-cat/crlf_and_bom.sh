printf '\xef\xbb\xbf{"a":1}\r\n{"b":"x\\r\\n"}\r\n{"c":1}' | lm-cat -z none | od -c | head -n 5

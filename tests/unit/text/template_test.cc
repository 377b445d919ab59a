// Outputs in the tables are those of Jinja 3.1.6 with the settings of the evaluation harness
// (StrictUndefined, trailing newline kept), and of transformers' chat templates.

#include "text/template.h"

#include "catch.h"
#include "core/error.h"

namespace lm::text {
namespace {

struct Case {
  const char* source;
  const char* output;
};

constexpr const char* kVars =
    "{\"q\": \"Is it so? \", \"a\": [\"no\", \"yes\"], \"label\": 1, \"n\": 7, \"x\": 2.5, "
    "\"neg\": -3, \"s\":"
    " \"Hello, World\", \"e\": \"\", \"none\": null, \"d\": {\"k\": \"v\", \"n\": {\"m\": [1, 2, "
    "3]}}, \"item"
    "s2\": [{\"name\": \"b\", \"v\": 2}, {\"name\": \"A\", \"v\": 1}, {\"name\": \"c\", \"v\": 3, "
    "\"t\": true}]"
    ", \"t\": true, \"u\": \"Stra\\u00dfe \\u00dcn\\u00ef \\u00c9COLE\", \"w\": \"  pad\\t\\n\", "
    "\"digits\":"
    " \"0042\", \"nested\": [[1, 2], [3]], \"messages\": [{\"role\": \"system\", \"content\": \"Be "
    "brie"
    "f.\"}, {\"role\": \"user\", \"content\": \" Hi <there> & 'you' \"}, {\"role\": \"assistant\", "
    "\"con"
    "tent\": \"Yo\"}]}";

constexpr Case kTaskCases[] = {
    {"plain", "plain"},
    {"{{ q }}", "Is it so? "},
    {"{{q}}{{ a[label] }}", "Is it so? yes"},
    {"{{ q.strip() }}|{{ q|trim }}|{{ w.strip() }}|{{ w|trim }}|", "Is it so?|Is it so?|pad|pad|"},
    {"{{ a[0] ~ '-' ~ label ~ none }}", "no-1None"},
    {"{{ n + 1 }} {{ n - 10 }} {{ n * 2 }} {{ n / 2 }} {{ n // 2 }} {{ neg // 2 }} {{ neg % 5 }} "
     "{{ n ** 2 }} {{ 2 ** -1 }} {{ -n }} {{ x * 2 }} {{ x // 1 }} {{ neg % 2.5 }}",
     "8 -3 14 3.5 3 -2 2 49 0.5 -7 5.0 2.0 2.0"},
    {"{{ 1e20 }} {{ 1.0 }} {{ 0.1 + 0.2 }} {{ 1e-5 }} {{ 1e16 }} {{ 123456789012345.0 }} {{ 1_000 "
     "}} {{ 1e15 }}",
     "1e+20 1.0 0.30000000000000004 1e-05 1e+16 123456789012345.0 1000 1000000000000000.0"},
    {"{{ a }} {{ d }} {{ (1,) }} {{ (1, 'b') }} {{ [] }} {{ {} }} {{ true }} {{ none }}",
     "['no', 'yes'] {'k': 'v', 'n': {'m': [1, 2, 3]}} (1,) (1, 'b') [] {} True None"},
    {"{{ [\"it's\", 'a\"b', \"both ' and \\\"\", 'tab\\t', '\xc3\xa9\\u200b\\x7f'] }}",
     "[\"it's\", 'a\"b', 'both \\' and \"', 'tab\\t', '\xc3\xa9\\u200b\\x7f']"},
    {"{{ 'a\\nb' }}", "a\nb"},
    {"{{ 'x' 'y' }}", "xy"},
    {"{{ s[0] }}{{ s[-1] }}{{ s[1:4] }}{{ s[::-1] }}{{ s[:-3] }}{{ s[-3:] }}{{ u[4:6] }}{{ a[5:] "
     "}}{{ s[10:2:-2] }}",
     "HdelldlroW ,olleHHello, World\xc3\x9f"
     "e[]lo o"},
    {"{{ s.split(', ') }} {{ s.split() }} {{ s.split('l', 1) }} {{ 'a b  c '.split(None, 1) }} {{ "
     "s.rsplit('o', 1) }} {{ ' '.split() }} {{ 'a,b,'.split(',') }}",
     "['Hello', 'World'] ['Hello,', 'World'] ['He', 'lo, World'] ['a', 'b  c '] ['Hello, W', "
     "'rld'] [] ['a', 'b', '']"},
    {"{{ s.replace('l', 'L') }} {{ s.replace('l', 'L', 1) }} {{ s|replace('o', '0') }} {{ "
     "s|replace('o','0',1) }} {{ 'abc'.replace('', '-') }}",
     "HeLLo, WorLd HeLlo, World Hell0, W0rld Hell0, World -a-b-c-"},
    {"{{ s.lower() }} {{ s.upper() }} {{ u|lower }} {{ u|upper }} {{ u|capitalize }} {{ s.title() "
     "}} {{ \"it's o'neil foo-bar\"|title }} {{ \"it's o'neil foo-bar\".title() }} {{ 'mcDONALD "
     "(big) [x]'|title }}",
     "hello, world HELLO, WORLD stra\xc3\x9f"
     "e \xc3\xbcn\xc3\xaf \xc3\xa9"
     "cole STRASSE \xc3\x9cN\xc3\x8f \xc3\x89"
     "COLE Stra\xc3\x9f"
     "e \xc3\xbcn\xc3\xaf \xc3\xa9"
     "cole Hello, World It's O'neil Foo-Bar It'S O'Neil Foo-Bar Mcdonald (Big) [X]"},
    {"{{ s.startswith('Hell') }} {{ s.endswith(('x','ld')) }} {{ s.find('o') }} {{ s.rfind('o') }} "
     "{{ s.find('z') }} {{ s.count('l') }} {{ digits.isdigit() }} {{ s.isalpha() }} {{ "
     "'ab1'.isalnum() }} {{ e.isdigit() }} {{ 'AB c'.isupper() }} {{ 'AB'.isupper() }}",
     "True True 4 8 -1 3 True False True False False True"},
    {"{{ '-'.join(a) }} {{ a|join(', ') }} {{ a|join }} {{ [1,2,3]|join('+') }} {{ "
     "items2|join(',', attribute='name') }}",
     "no-yes no, yes noyes 1+2+3 b,A,c"},
    {"{{ a|length }} {{ u|length }} {{ d|length }} {{ a|count }} {{ e|length }}", "2 16 2 2 0"},
    {"{{ missing|default('dflt') }} {{ e|default('x') }}| {{ e|default('x', true) }} {{ "
     "none|default('y') }} {{ missing|d }} {{ d.zz|default(3) }}",
     "dflt | x None  3"},
    {"{{ a|first }} {{ a|last }} {{ s|first }} {{ s|last }} {{ nested|first|last }}",
     "no yes H d 2"},
    {"{{ d|tojson }} {{ '\xc3\xa9<&>\\''|tojson }} {{ [1, 2.0, none, true, 'x']|tojson }} {{ "
     "d|tojson(indent=2) }} {{ {'b':1,'a':2}|tojson }}",
     "{\"k\": \"v\", \"n\": {\"m\": [1, 2, 3]}} \"\\u00e9\\u003c\\u0026\\u003e\\u0027\" [1, 2.0, "
     "null, true, \"x\"] {\n  \"k\": \"v\",\n  \"n\": {\n    \"m\": [\n      1,\n      2,\n      "
     "3\n    ]\n  }\n} {\"a\": 2, \"b\": 1}"},
    {"{{ '42'|int }} {{ '4.7'|int }} {{ 'x'|int }} {{ 'x'|int(-1) }} {{ 3.9|int }} {{ '-3'|int }} "
     "{{ '1e3'|float }} {{ 'abc'|float(1.5) }} {{ n|float }} {{ ' 12 '|int }} {{ true|int }} {{ "
     "'+5'|int }}",
     "42 4 0 -1 3 -3 1000.0 1.5 7.0 12 1 5"},
    {"{{ 2.5|round }} {{ 3.5|round }} {{ 2.675|round(2) }} {{ 7|round }} {{ 2.1|round(0,'ceil') }} "
     "{{ 2.19|round(1,'floor') }} {{ 1234.5678|round(-2) }} {{ 42.55|round|int }}",
     "2.0 4.0 2.67 7 3.0 2.1 1200.0 43"},
    {"{{ 'abc'|list }} {{ d|list }} {{ range(3)|list }} {{ range(2, 8, 3)|list }} {{ range(3, 0, "
     "-1)|list }}",
     "['a', 'b', 'c'] ['k', 'n'] [0, 1, 2] [2, 5] [3, 2, 1]"},
    {"{% if n > 5 and not e %}big{% elif n > 2 %}mid{% else %}small{% endif %}", "big"},
    {"{% if n == 7.0 %}eq{% endif %}{% if 1 < n <= 7 < 8 %}chain{% endif %}{% if 'ell' in s and "
     "'z' not in s %}in{% endif %}{% if 'k' in d %}key{% endif %}{% if 3 in [1,2] %}no{% else "
     "%}notin{% endif %}",
     "eqchaininkeynotin"},
    {"{% for x in a %}{{ loop.index }}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
     "1no, 2yes"},
    {"{% for x in [] %}a{% else %}none{% endfor %}", "none"},
    {"{% for k, v in d.items() %}{{k}}={{v}};{% endfor %}", "k=v;n={'m': [1, 2, 3]};"},
    {"{% for i in items2 if i.v > 1 %}{{ loop.index0 }}/{{ loop.length }}{{ i.name }}{{ loop.first "
     "}}{{ loop.revindex }} {% endfor %}",
     "0/2bTrue2 1/2cFalse1 "},
    {"{% for m in messages %}{{ loop.previtem.role if loop.previtem is defined else '-' }}>{{ "
     "m['role'] }}>{{ loop.nextitem.role if not loop.last else '-' }} {{ loop.cycle('odd','even') "
     "}};{% endfor %}",
     "->system>user odd;system>user>assistant even;user>assistant>- odd;"},
    {"{% set y = n + 1 %}{{ y }}{% for i in [1,2] %}{% set y = i %}{{ y }}{% endfor %}{{ y }}",
     "8128"},
    {"{% set ns = namespace(c=0) %}{% for i in range(4) %}{% set ns.c = ns.c + i %}{% endfor %}{{ "
     "ns.c }}",
     "6"},
    {"{% set p, r = 1, 'z' %}{{ p }}{{ r }}{% set blk %}in {{ p }}{% endset %}[{{ blk }}]",
     "1z[in 1]"},
    {"{% if true %}{% set inner = 5 %}{% endif %}{{ inner }}", "5"},
    {"a {%- if true %} b {%- endif %} c", "a b c"},
    {"a\n{% if true %}\nb\n{% endif %}\nc\n", "a\n\nb\n\nc\n"},
    {"  {{- ' x ' -}}  y", " x y"},
    {"{# comment #}k{#- c -#}  l", "kl"},
    {"{% raw %}{{ not }}{% endraw %}", "{{ not }}"},
    {"line1\n  {%- for i in a %}\n  {{ i }}\n  {%- endfor %}\nend", "line1\n  no\n  yes\nend"},
    {"{{ 'yes' if label == 1 else 'no' }}{{ 'only' if false }}|", "yes|"},
    {"{{ x is defined }}{{ missing is defined }}{{ missing is undefined }}{{ n is odd }}{{ n is "
     "even }}{{ n is divisibleby 7 }}{{ s is string }}{{ d is mapping }}{{ a is sequence }}{{ none "
     "is none }}{{ n is number }}{{ t is true }}{{ x is float }}{{ n is integer }}{{ a is iterable "
     "}}{{ n is not none }}{{ n is eq 7 }}{{ 'a' is in ['a'] }}{{ 'ab' is lower }}",
     "TrueFalseTrueTrueFalseTrueTrueTrueTrueTrueTrueTrueTrueTrueTrueTrueTrueTrueTrue"},
    {"{{ items2|map(attribute='name')|list }} {{ a|map('upper')|join('/') }} {{ "
     "items2|selectattr('v','gt',1)|map(attribute='v')|list }} {{ "
     "items2|selectattr('t','defined')|list|length }} {{ "
     "items2|rejectattr('t','defined')|map(attribute='v')|sum }} {{ [1,2,3,4]|select('even')|list "
     "}} {{ [0,1,'',2]|select|list }} {{ [1,2,3]|reject('odd')|list }}",
     "['b', 'A', 'c'] NO/YES [2, 3] 1 3 [2, 4] [1, 2] [2]"},
    {"{{ ['b','A','c']|sort }} {{ ['b','A','c']|sort(case_sensitive=true) }} {{ "
     "[3,1,2]|sort(reverse=true) }} {{ items2|sort(attribute='name')|map(attribute='name')|list }} "
     "{{ {'b':1,'A':3}|dictsort }} {{ {'b':1,'A':3}|dictsort(by='value') }}",
     "['A', 'b', 'c'] ['A', 'b', 'c'] [3, 2, 1] ['A', 'b', 'c'] [('A', 3), ('b', 1)] [('b', 1), "
     "('A', 3)]"},
    {"{{ [1,2,3]|sum }} {{ [1.5,2]|sum }} {{ [3,1]|max }} {{ [3,1]|min }} {{ 'abc'|reverse }} {{ "
     "[1,2]|reverse|list }} {{ [1,1,2]|unique|list }} {{ neg|abs }} {{ 'a b, c'|wordcount }}",
     "6 3.5 3 1 cba [2, 1] [1, 2] 3 3"},
    {"{{ 'a\\nb\\n\\nc'|indent }}|{{ 'a\\nb'|indent(2, true) }}", "a\n    b\n\n    c|  a\n  b"},
    {"{{ '<a href=\"x\">'|escape }} {{ '<b>'|e }}", "&lt;a href=&#34;x&#34;&gt; &lt;b&gt;"},
    {"{{ a.index('yes') }} {{ a.count('no') }} {{ d.get('zz', 4) }} {{ d.get('k') }} {{ "
     "d.keys()|list }} {{ d.values()|list }} {{ d['n']['m'][1] }} {{ d.n.m.2 }}",
     "1 1 4 v ['k', 'n'] ['v', {'m': [1, 2, 3]}] 2 3"},
    {"{% macro f(x, y='z') %}<{{ x }}{{ y }}>{% endmacro %}{{ f(1) }}{{ f(2, y='q') }}{{ "
     "f('a','b') }}",
     "<1z><2q><ab>"},
    {"{{ a|tojson }}{{ [a, n] }}", "[\"no\", \"yes\"][['no', 'yes'], 7]"},
    {"{{ [1,2] + [3] }} {{ 'ab' * 3 }} {{ [0] * 2 }} {{ 3 * 'x' }} {{ (1,2) + (3,) }}",
     "[1, 2, 3] ababab [0, 0] xxx (1, 2, 3)"},
    {"{{ not true }} {{ not e }} {{ e or 'alt' }} {{ n and 'x' }} {{ 0 or none }} {{ 1 == 1.0 }} "
     "{{ true == 1 }} {{ 'a' < 'b' }} {{ [1,2] < [1,3] }} {{ {'a':1} == {'a':1} }}",
     "False True alt x None True True True True True"},
    {"{{ ' a b '.lstrip() }}|{{ ' a b '.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ "
     "'www.x.y'.lstrip('w.') }}|{{ 'a\\nb\\r\\nc'.splitlines() }}|{{ 'k=v=w'.partition('=') }}|{{ "
     "'k=v=w'.rpartition('=') }}|{{ 'x'.center(4) }}|{{ 'x'.rjust(3,'0') }}|{{ "
     "'foobar'.removeprefix('foo') }}|{{ 'foobar'.removesuffix('bar') }}",
     "a b | a b|a|x.y|['a', 'b', 'c']|('k', '=', 'v=w')|('k=v', '=', 'w')| x  |00x|bar|foo"},
    {"{{ -2|abs }} {{ (-2)|abs }} {{ 1 + 2 * 3 - 4 / 2 }} {{ (1 + 2) * 3 }} {{ 2 ** 3 ** 2 }} {{ 7 "
     "- 2 - 1 }} {{ 'a' ~ 1 * 2 }} {{ 10 // 3 * 2 }} {{ not n == 7 }}",
     "2 2 5.0 9 64 4 a2 6 False"},
    {"{{ 5 if n > 3 else 6 if n > 2 else 7 }}", "5"},
    {"{{ {'a': 1, 'b': [2, {'c': none}]} }} {{ {1: 'x'}[1] }} {{ {true: 'T', false: 'F'}[t] }}",
     "{'a': 1, 'b': [2, {'c': None}]} x T"},
    {"{% for a, b in [[1, 2], [3, 4]] %}{{ a * b }} {% endfor %}", "2 12 "},
    {"{% for x in range(5) if x % 2 %}{{ x }}{% endfor %}", "13"},
    {"{% for i in [1,2] %}{% for j in [3,4] %}{{ i }}{{ j }}{{ loop.index }} {% endfor %}{{ "
     "loop.index }};{% endfor %}",
     "131 142 1;231 242 2;"},
    {"Passage: {{s}}\nQuestion: {{q.strip()}}?\nAnswer:",
     "Passage: Hello, World\nQuestion: Is it so?\?\nAnswer:"},
    {"{{[a[0], a[1]]}}", "['no', 'yes']"},
    {"{{ a[label]|upper ~ '!' }}", "YES!"},
    {"{%- set c = ['A', 'B', 'C'] -%}\n{{ c[n % 3] }}", "B"},
    {"{{ s.split(',')[0].strip().lower()[1:] }}", "ello"},
    {"{{ 'x' in missing2|default([]) }}", "False"},
    {"{% if a is defined and a|length > 1 %}two{% endif %}", "two"},
    {"{% set x %}{% endset %}[{{ x }}]", "[]"},
    {"{{ d.items()|list }}", "[('k', 'v'), ('n', {'m': [1, 2, 3]})]"},
    {"{{ '%' }}{{ \"{{\" }}", "%{{"},
    {"{{ '\\u00e9\\x41' }}",
     "\xc3\xa9"
     "A"},
    {"{{ [1,2,3][-1] }}{{ (1,2)[0] }}", "31"},
    {"{{ 'a' if x }}{{ s|trim('Hd') }}", "aello, Worl"},
    {"{{ u.title() }} {{ '\xc7\x86 \xef\xac\x81'|upper }}",
     "Stra\xc3\x9f"
     "e \xc3\x9cn\xc3\xaf \xc3\x89"
     "cole \xc7\x84 FI"},
    {"{{ 'ab'.index('b') }} {{ [none, 1]|first }} {{ 1.5|string ~ 2|string }}", "1 None 1.52"},
    {"{{ n }}\n", "7\n"},
    {"\n{{ n }}", "\n7"},
    {"{%if n%}x{%endif%}{{n}}{#c#}", "x7"},
    {"{{ 3 is divisibleby(2) }}{{ 'a' is ne 'b' }}{{ 2 is ge 2 }}", "FalseTrueTrue"},
};
constexpr Case kChatCases[] = {
    {"{% for message in messages %}\n    {% if message['role'] == 'user' %}\n[INST] {{ "
     "message['content'] | trim }} [/INST]\n    {% elif message.role == 'system' %}\n<<SYS>>{{ "
     "message.content }}<</SYS>>\n    {% else %}\n{{ ' ' + message['content'] + '</s>' }}\n    {% "
     "endif %}\n{% endfor %}\n",
     "<<SYS>>Be brief.<</SYS>>\n[INST] Hi <there> & 'you' [/INST]\n Yo</s>\n"},
    {"{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + "
     "'\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif "
     "%}\n",
     "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi <there> & 'you' "
     "<|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n"},
    {"{{ messages|tojson }}\n{{ messages|tojson(indent=4) }}",
     "[{\"role\": \"system\", \"content\": \"Be brief.\"}, {\"role\": \"user\", \"content\": \" Hi "
     "<there> & 'you' \"}, {\"role\": \"assistant\", \"content\": \"Yo\"}]\n[\n    {\n        "
     "\"role\": \"system\",\n        \"content\": \"Be brief.\"\n    },\n    {\n        \"role\": "
     "\"user\",\n        \"content\": \" Hi <there> & 'you' \"\n    },\n    {\n        \"role\": "
     "\"assistant\",\n        \"content\": \"Yo\"\n    }\n]"},
    {"[{{ missing }}]{{ missing is defined }}{% if missing %}x{% endif %}", "[]False"},
    {"{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% "
     "endif %}{{ i }}{% endfor %}",
     "0134"},
    {"  {% if true %}  x\n  {% endif %}\n  {%+ if true %}y{% endif +%}\nz", "  x\n  y\nz"},
    {"a  {# c #}\nb\n   {# d #}\ne\n", "a  b\ne"},
    {"{%- if messages[0]['role'] == 'system' %}{%- set sys = messages[0]['content'] %}{%- set rest "
     "= messages[1:] %}{%- else %}{%- set rest = messages %}{%- endif %}{{- sys }}|{%- for m in "
     "rest %}{{- m.role | upper }}:{{ m['content'] | trim }}{{ '\\n' if not loop.last }}{%- endfor "
     "%}",
     "Be brief.|USER:Hi <there> & 'you'\nASSISTANT:Yo"},
    {"{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = "
     "'<|start|>' + message['role'] + '\\n\\n'+ message['content'] | trim + '<|eot|>' %}{% if "
     "loop.index0 == 0 %}{% set content = '<s>' + content %}{% endif %}{{ content }}{% endfor %}",
     "<s><|start|>system\n\nBe brief.<|eot|><|start|>user\n\nHi <there> & "
     "'you'<|eot|><|start|>assistant\n\nYo<|eot|>"},
    {"{%- macro show(m) -%}\n  {{ m.role }}={{ m.content|length }}\n{%- endmacro -%}\n{%- for m in "
     "messages -%}\n{{ show(m) }},\n{%- endfor %}",
     "system=9,user=20,assistant=2,"},
    {"{{ 'x' }}{% for k, v in {'a':1}|items %}{{ k }}{{ v }}{% endfor %}", "xa1"},
    {"[{{ gone }}{{ d.gone }}{{ gone|trim }}{{ gone|upper }}{{ gone|length }}{{ gone|join(',') "
     "}}{{ gone|list }}{{ gone|default('x') }}]",
     "[0[]x]"},
    {"{% for g in gone %}{{ g }}{% else %}none{% endfor %}{{ 'a' in gone }}{{ 'a' not in d.gone "
     "}}{{ gone is iterable }}{{ gone is string }}",
     "noneFalseTrueTrueFalse"},
    {"{{ messages|selectattr('gone', 'equalto', 1)|list }}{{ messages|rejectattr('gone', 'ne', "
     "1)|list|length }}{{ gone == none }}{{ gone == gone2 }}",
     "[]0FalseTrue"},
    {"{{ raise_exception is defined }}{{ namespace is defined }}{{ range is callable }}{{ nothing "
     "is defined }}",
     "TrueTrueTrueFalse"},
    {"{{ d|tojson }}{{ d|tojson(false, 1) }}{{ d|tojson(separators=(',', ':'), sort_keys=true) "
     "}}{{ u|tojson(ensure_ascii=true) }}",
     "{\"k\": \"v\", \"n\": {\"m\": [1, 2, 3]}}{\n \"k\": \"v\",\n \"n\": {\n  \"m\": [\n   1,\n   "
     "2,\n   3\n  ]\n }\n}{\"k\":\"v\",\"n\":{\"m\":[1,2,3]}}\"Stra\\u00dfe \\u00dcn\\u00ef "
     "\\u00c9COLE\""},
};

Value vars() {
  return *parse_json_value(kVars);
}

std::string fault_of(std::string_view source, const TemplateOptions& options = {}) {
  try {
    Template(source, "t", options).render(vars());
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kData);
    return e.message();
  }
  return "";
}

TEST_CASE("task templates render as Jinja renders them", "[text]") {
  for (const Case& each : kTaskCases) {
    INFO(each.source);
    CHECK(Template(each.source, "t", TemplateOptions::task()).render(vars()) == each.output);
  }
}

TEST_CASE("chat templates render as transformers renders them", "[text]") {
  for (const Case& each : kChatCases) {
    INFO(each.source);
    CHECK(Template(each.source, "t", TemplateOptions::chat()).render(vars()) == each.output);
  }
}

TEST_CASE("what a template does not mean is named with its place", "[text]") {
  constexpr Case cases[] = {
      {"a\n{{ q|shout }}", "t: line 2, column 6: the filter \"shout\" is not understood"},
      {"{{ q is loud }}", "t: line 1, column 9: the test \"loud\" is not understood"},
      {"{% include 'x' %}", "t: line 1, column 4: the statement \"include\" is not understood"},
      {"{% if q %}", "t: line 1, column 11: the template ends before \"endif\""},
      {"{% endif %}", "t: line 1, column 1: \"endif\" ends nothing here"},
      {"{{ q", "t: line 1, column 1: {{ has no end }}"},
      {"{{ 'q }}", "t: line 1, column 4: the string has no end"},
      {"{{ q.shout() }}",
       "t: line 1, column 5: the method \"shout\" of a value of type str is not understood"},
      {"{{ nothing }}", "t: line 1, column 4: the name \"nothing\" has no value"},
      {"{{ d.nothing }}",
       "t: line 1, column 5: the item 'nothing' of a value of type dict has no value"},
      {"{{ 1 + 'a' }}", "t: line 1, column 6: \"+\" of values of types int and str"},
      {"{{ 1 // 0 }}", "t: line 1, column 6: division by zero"},
      {"{{ shout(1) }}", "t: line 1, column 4: the function \"shout\" is not understood"},
      {"{{ raise_exception('no') }}", "t: line 1, column 4: the template says: no"},
      {"{{ 99999999999999999999 }}",
       "t: line 1, column 4: the number 99999999999999999999 is too large"},
      {"{{ 1e999 }}", "t: line 1, column 4: the number 1e999 is out of range"},
      {"{{ 1e-999 }}", "t: line 1, column 4: the number 1e-999 is out of range"},
      {"{{ 9223372036854775807 + 1 }}", "t: line 1, column 24: a whole number beyond 64 bits"},
      {"{{ q ? }}", "t: line 1, column 6: a character that means nothing here: \"?\""},
      {"{{ (q }}", "t: line 1, column 7: \"}\" closes nothing"},
      {"{{ q|replace('a') }}", "t: line 1, column 6: \"replace\" needs the argument \"new\""},
      {"{% for g in gone %}{% endfor %}", "t: line 1, column 13: the name \"gone\" has no value"},
      {"{{ gone|trim }}", "t: line 1, column 9: the name \"gone\" has no value"},
      {"{{ 'a' in gone }}", "t: line 1, column 4: the name \"gone\" has no value"},
      {"{{ gone == 1 }}", "t: line 1, column 4: the name \"gone\" has no value"},
      {"{% set f = range %}{{ f(3) }}",
       "t: line 1, column 1: the function \"range\" is called by another name"},
      {"{{ 'a' < 1 }}", "t: line 1, column 4: values of types str and int have no order"},
      {"{% for a, b in [1] %}{% endfor %}",
       "t: line 1, column 8: a value of type int has no items"},
      {"{% break %}", "t: line 1, column 4: \"break\" stands in no loop"},
      {"{% set s = 'x' * 99999999999 %}", "t: line 1, column 16: a text of more than 64 MiB"},
      {"{{ range(1000000) }}", "t: line 1, column 4: range() of more than 100000 numbers"},
  };
  for (const Case& each : cases) {
    INFO(each.source);
    CHECK(fault_of(each.source) == each.output);
  }
}

TEST_CASE("neither deep nesting nor endless recursion overflows the stack", "[text]") {
  CHECK_THAT(fault_of("{{ " + std::string(100000, '(') + std::string(100000, ')') + " }}"),
             Catch::Matchers::ContainsSubstring("nested more than"));
  CHECK_THAT(fault_of("{{ " + std::string(100000, '-') + "1 }}"),
             Catch::Matchers::ContainsSubstring("nested more than"));
  std::string ifs;
  for (int i = 0; i < 10000; ++i)
    ifs += "{% if 1 %}";
  CHECK_THAT(fault_of(ifs), Catch::Matchers::ContainsSubstring("nested more than"));
  CHECK_THAT(fault_of("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
             Catch::Matchers::ContainsSubstring("macros call each other"));
}

TEST_CASE("values that grow without end are refused", "[text]") {
  const auto many = [](const std::string& text) {
    std::string out;
    for (int i = 0; i < 200; ++i)
      out += text;
    return out;
  };
  const std::string space = "{% set ns = namespace(x=[1], s='ab') %}";
  for (const std::string& source :
       {space + "{% set ns.x = ns %}{{ ns }}", space + many("{% set ns.x = [ns.x] %}"),
        space + many("{% set ns.x = ns.x + ns.x %}"),
        space + many("{% set ns.x = [ns.x, ns.x] %}")})
    CHECK_THAT(fault_of(source),
               Catch::Matchers::ContainsSubstring("a value of more than 1000000 parts"));
  for (const std::string& source :
       {space + many("{% set ns.s = ns.s ~ ns.s %}"), std::string("{{ ('x' * 9999999) * 9 }}"),
        std::string("{{ ('x' * 99999).replace('x', 'y' * 99999) }}"),
        std::string("{{ range(99999)|join('x' * 9999) }}")})
    CHECK_THAT(fault_of(source), Catch::Matchers::ContainsSubstring("64 MiB"));
}

TEST_CASE("a value in a template is not the caller's any more", "[text]") {
  const Value before = vars();
  const Template t("{% set d2 = namespace(a=a) %}{% set d2.a = 1 %}{{ d2.a }}{{ a }}", "t");
  CHECK(t.render(before) == "1['no', 'yes']");
  CHECK(before == vars());
}

TEST_CASE("Python literals are read back as they are printed", "[text]") {
  for (const char* text : {"['a', 'b']", "(1,)", "()", "{'k': [1, 2.5, None, True]}", "-3", "1e-05",
                           "\"it's\"", "'\\n\\x7f'", "[]", "{}"}) {
    INFO(text);
    const std::optional<Value> value = parse_python_literal(text);
    REQUIRE(value);
    CHECK(value->repr() == text);
  }
  for (const char* text :
       {"", "[", "[1 2]", "a", "'", "1 2", "0123", "{1}", "__import__('os')", "['\\ud800']"}) {
    INFO(text);
    CHECK_FALSE(parse_python_literal(text));
  }
  CHECK(parse_python_literal("(1)")->whole() == 1);
  CHECK(parse_python_literal("'a' \"b\"")->str() == "ab");
  CHECK_FALSE(parse_python_literal(std::string(100000, '[')));
}

TEST_CASE("JSON values keep order, types and text", "[text]") {
  const char* const json = "{\"b\":[1,2.0,-3,1e300,null,true],\"a\":\"\\u00e9\\n\"}";
  const Result<Value> value = parse_json_value(json);
  REQUIRE(value);
  CHECK(to_json(*value, {.spaced = false}) ==
        "{\"b\":[1,2.0,-3,1e+300,null,true],\"a\":\"\xc3\xa9\\n\"}");
  CHECK_FALSE(parse_json_value(std::string_view()));
  CHECK_FALSE(parse_json_value("{\"a\":1"));
  CHECK(parse_json_value("\"\xff\"").fault().code == "utf8");
  // What 64 bits do not hold is a float, and what no float holds is said to be too large.
  const auto read = [](const char* text) { return to_json(*parse_json_value(text)); };
  CHECK(read("18446744073709551616") == "1.8446744073709552e+19");
  CHECK(read("[-9223372036854775808, -9223372036854775809, 9223372036854775807]") ==
        "[-9223372036854775808, -9.223372036854776e+18, 9223372036854775807]");
  CHECK(read("{\"99999999999999999999\": \"a\\\"99999999999999999999\", \"b\": "
             "100000000000000000000}") ==
        "{\"99999999999999999999\": \"a\\\"99999999999999999999\", \"b\": 1e+20}");
  for (const char* const large : {"1e400", "[1, -1e309]", "{\"1e400\": 1e999}"}) {
    const Result<Value> refused = parse_json_value(large);
    REQUIRE(!refused);
    CHECK(refused.fault().code == "range");
    CHECK_THAT(refused.fault().detail, Catch::Matchers::ContainsSubstring("is too large"));
  }
  CHECK(parse_json_value("[99999999999999999999, 01]").fault().code == "json");
  CHECK(parse_json_value("1.").fault().code == "json");
}

TEST_CASE("long texts are shared by copies", "[text]") {
  const Value own(std::string(64, 'a'));
  CHECK(own.shared().at == nullptr);
  const Value text(std::string(65, 'a'));
  const Value copy = text;
  CHECK(copy.shared().at == text.shared().at);
  CHECK(&copy.str() == &text.str());
  CHECK(copy.is_string());
  CHECK(std::string(copy.type_name()) == "str");
  CHECK(copy == Value(std::string(65, 'a')));
  CHECK_FALSE(copy == own);
  CHECK(*compare(own, text) == -1);
  CHECK(text.shared().bytes >= 65);
  // Room that a text does not need is given back.
  std::string wide(1 << 20, 'x');
  wide.resize(70);
  CHECK(Value(std::move(wide)).shared().bytes < 1000);
  const Value list(ValueList{text, Value(i64{1})});
  CHECK(list.shared().at != nullptr);
  CHECK(list.shared().bytes >= static_cast<i64>(2 * sizeof(Value)));
  CHECK(Value(i64{1}).shared().at == nullptr);
}

}  // namespace
}  // namespace lm::text

// The languages by extension: what Dolma's table has, grouped by their comments.

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "core/str.h"
#include "tag/code_comments.h"

namespace lm::tag {

namespace {

constexpr CodeLanguage kLanguages[] = {
    {"", "<!-- -->", Shape::kPlain, false, Reference::kSame,
     "ant axml ccxml clixml cproject csl csproj ct dita ditamap ditaval dllconfig "
     "dotsettings erb erbdeface filters fsproj fxml glade grxml htm html htmlhl iml ivy "
     "jelly jinja jsproj kid kml launch mdpolicy mediawiki mustache mxml nproj nuspec odd "
     "osm phtml plist props ps1xml psc1 pt rdf rhtml rss scxml sl srdf stTheme storyboard "
     "sublime-snippet targets tea tmCommand tmLanguage tmPreferences tmSnippet tmTheme tml "
     "ui urdf ux vbproj vcxproj vssettings vue vxml wiki wsdl wsf wxi wxl wxs x3d xacro "
     "xaml xht xhtml xib xlf xliff xmi xml xmldist xproj xsd xsl xslt xul zcml"},
    {"#", "", Shape::kPlain, false, Reference::kSame,
     "6pl 6pm _coffee al apl auk awk bb cjsx coffee cr cson desktop desktopin dyalog ex "
     "exs gap gawk gd gi iced mawk nawk nit nqp numpy numpyw numsc org p6 p6l p6m perl ph "
     "pl pl6 plx pm pm6 psgi r rd reek rsx rviz sage sagews slim sublime-syntax syntax t "
     "toml yaml yaml-tmlanguage yml"},
    {"//", "/* */", Shape::kPlain, true, Reference::kSame,
     "C H as c c++ cats cc chpl cp cpp cu cuh cxx ec eh gst gsx h h++ hh hpp hxx idc inl "
     "ino ipp less mm mo nc pike pmod pwn qbs qml scd sj sol sv svh tcc tpp vala vapi vark "
     "veo vh w x x10 xi xm zep"},
    {"//", "/* */", Shape::kPlain, false, Reference::kSame,
     "aj dart di ecl eclxml fp frag frg fsh fshader fxh geo geojson geom glsl glslv "
     "groovy grt gshader gtpl gvy hlsl hlsli hx hxsl java json jsonld kt ktm kts las lasso "
     "lasso8 lasso9 ldml lock mask sass shader topojson vert vrx vsh vshader webidl xtend"},
    {"//", "/* */", Shape::kRaw, false, Reference::kSame, "go"},
    {"//", "/* */", Shape::kPlain, false, Reference::kFails,
     "ash axi axs bison bsv cake ck cl click cs cshtml csx cy dm fan flex flux hb hqf "
     "jflex metal mss opencl pde pogo pov proto rsh sma sp sqf styl uc uno upc volt xc"},
    {"", "", Shape::kPlain, false, Reference::kNothing,
     "befunge bf cbl ccp cirru cob cobol cpy diff haml hamldeface handlebars hbs http ijs "
     "jade lagda lhs liquid mako mao myt no objdump opa patch prg prw rest resttxt rst "
     "rsttxt scaml shen tpl twig txt"},
    {"#", "", Shape::kPlain, false, Reference::kNothing,
     "Dockerfile Makefile adp apacheconf bro cmake cmakein csh dockerfile feature fish gnu "
     "gnuplot golo gp graphql mak mk mkfile nim nimrod pan plot plt pxd pxi pyx robot rq smali "
     "sparql tcl tcsh "
     "tm ttl vhost"},
    {"#", "", Shape::kPlain, false, Reference::kFails,
     "anim asset capnp druby duby ebuild eclass em emberscript lookml mat meta mir mirah "
     "ninja opal parrot po pot prefab pri raml rg rpy sls unity zimpl zmpl zpl"},
    {"", "<!-- -->", Shape::kPlain, false, Reference::kFails,
     "asax ascx ashx asmx asp aspx axd cfc cfm cfml eex ftl gsp jsp owl rmd svg xpl xproc "
     "xsp-config xspmetadata"},
    {";", "", Shape::kPlain, false, Reference::kFails,
     "a51 arpa asm clp edn g gco gcode iss lfe nasm nlogo nu pb pbi psc smt smt2 wisp zone"},
    {"%", "", Shape::kPlain, false, Reference::kNothing,
     "aux bbx bib cbx dtx erl escript hrl ins lbx ltx matlab mkii mkiv mkvi sty tex toc "
     "xrl yrl"},
    {".\\\"", "", Shape::kPlain, false, Reference::kNothing,
     "1 1in 1m 1x 2 3 3in 3m 3qt 3x 4 5 6 7 8 9 man me rno roff"},
    {";", "", Shape::kPlain, false, Reference::kSame,
     "ahk ahkl boot cl2 clj cljc cljs cljscm cljshl cljx csd cw dlm el emacs emacsdesktop "
     "hic hy j"},
    {"//", "/* */", Shape::kScript, false, Reference::kSame,
     "_js bones es6 jake js jsb jscad jsfl jsm jss jsx njs pac sjs ssjs ts tsx xsjs "
     "xsjslib"},
    {"", "(* *)", Shape::kNested, false, Reference::kNothing,
     "cdf coq eliom eliomi ma mathematica ml ml4 mli mll mly mt nb nbp thy wl wlt"},
    {"#", "=begin =end", Shape::kPlain, false, Reference::kSame,
     "builder gemspec god irbrc jbuilder mspec podspec rabl rake rb rbuild rbw rbx ru ruby "
     "thor watchr"},
    {"#", "", Shape::kPlain, true, Reference::kSame,
     "bash bats command fancypack fy ksh nginxconf sh shin tmux tool zsh"},
    {";", "#| |#", Shape::kPlain, false, Reference::kSame,
     "asd lisp lsp ny podsl rkt rktd rktl scm scrbl sexp sld sps ss"},
    {"--", "/* */", Shape::kNested, true, Reference::kSame,
     "cql db2 ddl pck pkb pks plb pls plsql prc sql tab udf viw"},
    {"'", "", Shape::kPlain, false, Reference::kFails,
     "brs rbbas rbfrm rbmnu rbres rbtbar rbuistate xojo_code xojo_menu xojo_report "
     "xojo_script xojo_toolbar xojo_window"},
    {"//", "/* */", Shape::kNested, true, Reference::kSame,
     "dcl dyl dylan icl intr lid lsl lslp pony rs rsin sbt scala"},
    {"//", "/* */", Shape::kNested, false, Reference::kSame,
     "ado ceylon do doh ihlp mata matah mu scad sthlp swift"},
    {"python", "", Shape::kPlain, false, Reference::kSame,
     "bzl gyp lmi py pyde pyp pyt pyw tac wsgi xpy"},
    {"!", "", Shape::kPlain, false, Reference::kNothing, "f f03 f08 f77 f90 f95 factor for fpp"},
    {";", "", Shape::kPlain, false, Reference::kNothing, "ik ll r2 r3 reb rebol red reds"},
    {"'", "", Shape::kPlain, false, Reference::kNothing, "bas frm frx monkey vb vba vbhtml vbs"},
    {"// #", "/* */", Shape::kPhp, true, Reference::kSame, "aw ctp php php3 php4 php5 phps phpt"},
    {"--", "/* */", Shape::kPlain, false, Reference::kSame, "vhd vhdl vhf vhi vho vhs vht vhw"},
    {"--", "{- -}", Shape::kPlain, false, Reference::kSame, "agda elm hs hsc idr lidr purs"},
    {"", "(* *)", Shape::kNested, false, Reference::kFails, "ML cps fun sig sml ur urs"},
    {"", "/* */", Shape::kPlain, false, Reference::kFails, "ld lds lex xs y yacc yy"},
    {"//", "(* *)", Shape::kNested, false, Reference::kFails, "dats fs fsi fsx hats sats"},
    {"", "<!-- -->", Shape::kPlain, false, Reference::kNothing, "markdown md mkd mkdn mkdown ron"},
    {"--", "--[[ ]]", Shape::kPlain, false, Reference::kSame, "lua nse pd_lua rbxs wlua"},
    {"", "(: :)", Shape::kPlain, false, Reference::kNothing, "xq xql xqm xquery xqy"},
    {"//", "", Shape::kPlain, false, Reference::kFails, "adoc asciidoc grace ipf"},
    {"--", "", Shape::kPlain, false, Reference::kSame, "e hlean lean moon"},
    {"\\", "", Shape::kPlain, false, Reference::kNothing, "4th forth frt fth"},
    {"# ;", "", Shape::kPlain, false, Reference::kSame, "cfg ini prefs properties"},
    {"%", "", Shape::kPlain, false, Reference::kSame, "ily ly"},
    {"%", "", Shape::kPostScript, false, Reference::kSame, "eps ps"},
    {"//", "(* *) { }", Shape::kPlain, false, Reference::kSame, "dfm dpr lpr pas"},
    {"--", "", Shape::kPlain, true, Reference::kSame, "ada adb ads"},
    {"", "(* *)", Shape::kPlain, false, Reference::kSame, "applescript aug scpt"},
    {"// #", "/* */", Shape::kPlain, false, Reference::kFails, "dot gv nut"},
    {"", "<# #>", Shape::kPlain, false, Reference::kSame, "ps1 psd1 psm1"},
    {"", "/* */", Shape::kPlain, false, Reference::kSame, "ooc sas thrift"},
    {"//", "/* */", Shape::kPlain, false, Reference::kNothing, "g4 yang"},
    {";", "", Shape::kPlain, true, Reference::kSame, "au3 decls"},
    {"rem ::", "", Shape::kPlain, false, Reference::kFails, "bat cmd"},
    {"--", "{- -}", Shape::kPlain, false, Reference::kFails, "chs gf"},
    {"// #", "/* */", Shape::kNested, true, Reference::kSame, "hcl tf"},
    {"// #", "/* */", Shape::kPlain, false, Reference::kSame, "io stan"},
    {"#", "/* */", Shape::kPlain, false, Reference::kSame, "_ls ls"},
    {"%", "/* */", Shape::kPlain, false, Reference::kNothing, "lgt logtalk"},
    {"--", "/* */", Shape::kPlain, false, Reference::kFails, "mcr pig"},
    {"# ;", "/* */", Shape::kPlain, false, Reference::kNothing, "nsh nsi"},
    {"%", "/* */", Shape::kPlain, false, Reference::kFails, "oz tu"},
    {"%", "/* */", Shape::kNested, false, Reference::kSame, "prolog yap"},
    {"//", "", Shape::kPlain, false, Reference::kSame, "sce sci"},
    {"\"", "", Shape::kPlain, true, Reference::kSame, "abap"},
    {"#", "/* */", Shape::kPlain, true, Reference::kSame, "ampl"},
    {"// --", "/* */", Shape::kPlain, false, Reference::kSame, "als"},
    {"'", "", Shape::kPlain, true, Reference::kSame, "bmx"},
    {"// #", "/* */", Shape::kNested, false, Reference::kSame, "boo"},
    {"", "/* */", Shape::kPlain, false, Reference::kNothing, "css"},
    {"!", "", Shape::kPlain, false, Reference::kFails, "com"},
    {"*", "", Shape::kPlain, false, Reference::kFails, "gms"},
    {"# ; //", "/* */", Shape::kPlain, true, Reference::kSame, "s"},
    {"// #", "", Shape::kScript, true, Reference::kSame, "json5"},
    {"", "(: :)", Shape::kPlain, false, Reference::kFails, "jq"},
    {"#", "#= =#", Shape::kPlain, false, Reference::kNothing, "jl"},
    {"# dnl", "", Shape::kPlain, false, Reference::kFails, "m4"},
    {"#", "(* *)", Shape::kPlain, true, Reference::kSame, "mpl"},
    {"#", "/* */", Shape::kNested, false, Reference::kSame, "nix"},
    {"% #", "", Shape::kPlain, false, Reference::kNothing, "oct"},
    {"//", "{ }", Shape::kPlain, false, Reference::kFails, "oxygene"},
    {"", "", Shape::kPlain, true, Reference::kNothing, "scss"},
    {"", "\" \"", Shape::kPlain, false, Reference::kNothing, "st"},
    {"%", "", Shape::kPlain, false, Reference::kFails, "txl"},
    {"", "/* */", Shape::kNested, false, Reference::kSame, "vcl"},
    {"\"", "", Shape::kPlain, false, Reference::kFails, "vim"},
    {";;", "(; ;)", Shape::kPlain, false, Reference::kFails, "wat"},
    {"//", "", Shape::kPlain, true, Reference::kSame, "zig"},
};

/// Languages by the quotes of strings that span lines.
struct Spanning {
  std::string_view quotes;
  bool always;  // else for the reference alone
  std::string_view extensions;
};

constexpr Spanning kSpanning[] = {
    {"\"'`", true,
     "al perl ph pl plx pm psgi t builder gemspec god irbrc jbuilder mspec podspec rabl rake rb "
     "rbuild rbw rbx ru ruby thor watchr aw ctp php php3 php4 php5 phps phpt"},
    {"\"'", true,
     "bash bats command ksh sh shin tmux tool zsh r rd rsx _coffee cjsx coffee cson iced cql db2 "
     "ddl pck pkb pks plb pls plsql prc sql tab udf viw prolog yap ps1 psd1 psm1"},
    {"\"", true,
     "cl2 clj cljc cljs cljscm cljshl cljx el emacs emacsdesktop hic hy asd lisp lsp ny podsl rkt "
     "rktd rktl scm scrbl sexp sld sps ss rs rsin nix ily ly"},
    {"\"'`", false,
     "las lasso lasso8 lasso9 ldml _js bones es6 jake js jsb jscad jsfl jsm jss jsx njs pac sjs "
     "ssjs ts tsx xsjs xsjslib"},
    {"\"'", false,
     "6pl 6pm apl auk awk bb dyalog ex exs gawk mawk nawk nqp p6 p6l p6m pl6 pm6 as chpl less mo "
     "qbs qml scd zep ecl eclxml groovy grt gtpl gvy hx hxsl xtend dlm j idr lidr lua nse pd_lua "
     "rbxs wlua moon _ls ls sce sci boo json5"},
    {"\"", false,
     "cr gap gi nit toml gst gsx vark x10 aj geojson java json jsonld kt ktm kts lock topojson di "
     "go ahk ahkl boot csd fancypack fy lsl lslp pony sbt scala ceylon scad swift mu agda elm hs "
     "hsc purs hlean lean ada adb ads applescript aug scpt ooc io stan als bmx mpl"},
    {"'", false, "sj dfm dpr lpr pas"},
};

using Entry = std::pair<std::string_view, CodeLanguage>;

const std::vector<Entry>& by_extension() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> out;
    for (const CodeLanguage& language : kLanguages) {
      for (const std::string_view part : split(std::string_view(language.extensions), ' '))
        out.emplace_back(part, language);
    }
    for (const Spanning& own : kSpanning) {
      const std::vector<std::string_view> parts = split(own.extensions, ' ');
      for (auto& [extension, language] : out) {
        if (std::find(parts.begin(), parts.end(), extension) == parts.end()) continue;
        language.reference_spanning = own.quotes;
        if (own.always) language.spanning = own.quotes;
      }
    }
    std::sort(out.begin(), out.end(),
              [](const Entry& a, const Entry& b) { return a.first < b.first; });
    return out;
  }();
  return all;
}

bool is_one_of(std::string_view extension, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), extension) != all.end();
}

}  // namespace

std::span<const CodeLanguage> code_languages() {
  return kLanguages;
}

const CodeLanguage* language_of(std::string_view extension) {
  const std::vector<Entry>& all = by_extension();
  const auto at = std::lower_bound(
      all.begin(), all.end(), extension,
      [](const Entry& entry, std::string_view wanted) { return entry.first < wanted; });
  return at == all.end() || at->first != extension ? nullptr : &at->second;
}

bool is_common_language(std::string_view extension) {
  return is_one_of(
      extension, {"_js",  "bones", "bzl",  "es6", "gyp",  "jake", "java", "js",     "jsb", "jscad",
                  "jsfl", "jsm",   "jss",  "lmi", "njs",  "pac",  "py",   "pyde",   "pyp", "pyt",
                  "pyw",  "sjs",   "ssjs", "tac", "wsgi", "xpy",  "xsjs", "xsjslib"});
}

bool is_html(std::string_view extension) {
  return is_one_of(extension, {"htm", "html", "htmlhl", "xht", "xhtml"});
}

}  // namespace lm::tag

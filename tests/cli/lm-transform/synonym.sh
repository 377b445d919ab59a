# Words outside of slots become others of their first sense in WordNet.
"$(dirname "$(command -v lm-transform)")/helpers/make-tiny-wordnet" wn
echo '{"id":1,"words":["Dogs","ran","to","the","big","house"],"labels":["O","O","O","O","B-size","O"]}' |
  lm-transform noise --noise synonym:1 --wordnet wn -z none | jq -c '[.words, .labels]'
echo '{"text":"quickly to zebra"}' | lm-transform noise --noise synonym:1 --wordnet wn --no-log -z none

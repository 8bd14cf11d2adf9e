# Completion of netkit for bash. It asks netkit itself; see `netkit completion`.
# Installed as share/bash-completion/completions/netkit, or: source <(netkit completion bash)

_netkit() {
  # bash cuts words at `:` and `=`; netkit's addresses, `--to=file:X` and the like are put together again.
  local words=() i word joined=
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i > 1)) && [[ -n $joined || $word == [:=]* ]] && ! _netkit_space_before "$i"; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    joined=
    [[ $word == *[:=] ]] && joined=1
  done
  ((${#words[@]})) || words=("")
  local current=${words[${#words[@]} - 1]}

  local line directive=:none
  local cut=${current%"${COMP_WORDS[COMP_CWORD]}"}
  [[ ${COMP_WORDS[COMP_CWORD]} == [:=] ]] && cut=$current
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :none | :file | :folder | :nospace) directive=$line ;;
      *)
        line=${line%%$'\t'*}
        line=${line#"$cut"}
        # A name with blanks and the like is one word.
        [[ $line == *[[:space:]\'\"\\\$\`\&\;\|\<\>\(\)\*\?]* ]] && printf -v line %q "$line"
        COMPREPLY+=("$line")
        ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete "${words[@]//\\/}" 2>/dev/null)

  case $directive in
    :file) compopt -o filenames 2>/dev/null; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${current#"$cut"}") ;;
    :folder) compopt -o filenames 2>/dev/null; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${current#"$cut"}") ;;
    :nospace) compopt -o nospace 2>/dev/null ;;
  esac
}

# Whether there is white space before word $1 of the line: `a =b` are two words, `a=b` is one.
_netkit_space_before() {
  local rest=$COMP_LINE i
  for ((i = 0; i < $1; i++)); do
    rest=${rest#"${rest%%[![:space:]]*}"}
    rest=${rest#"${COMP_WORDS[i]}"}
  done
  [[ $rest == [[:space:]]* || -z $rest && ${COMP_LINE: -1} == [[:space:]] ]]
}

complete -F _netkit netkit

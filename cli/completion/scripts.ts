import type { Shell } from "../completion.ts";

/** The program that the user has typed completes its own words: a script never differs from its version. */
const COMPLETE = "__complete";

const bash = `# bash completion of mcp-bluegreen: source <(mcp-bluegreen completion bash)
_mcp_bluegreen() {
  local IFS=$'\\n' current="\${COMP_WORDS[COMP_CWORD]}" word last line value files=":none"
  local words=()
  # bash makes '--option=value' three words.
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    last=$((\${#words[@]} - 1))
    if ((last >= 0)) && [[ $word == "=" || \${words[last]} == -*= ]]; then
      words[last]+=$word
    else
      words+=("$word")
    fi
  done
  [[ $current == "=" ]] && current=""
  COMPREPLY=()
  while read -r line; do
    case $line in
    :*) files=$line ;;
    *)
      value=\${line%%$'\\t'*}
      [[ $value == -*=* ]] && value=\${value#*=}
      COMPREPLY+=("$value")
      ;;
    esac
  done < <("\${COMP_WORDS[0]}" ${COMPLETE} "\${words[@]}" 2>/dev/null)
  case $files in
  :files) COMPREPLY+=($(compgen -f -- "$current")) ;;
  :directories) COMPREPLY+=($(compgen -d -- "$current")) ;;
  esac
  [[ $files == ":none" ]] || compopt -o filenames 2>/dev/null
}
complete -F _mcp_bluegreen mcp-bluegreen
`;

const zsh = `#compdef mcp-bluegreen
# zsh completion of mcp-bluegreen: source <(mcp-bluegreen completion zsh)
_mcp-bluegreen() {
  local line value description files=":none"
  local -a candidates
  for line in "\${(@f)$("\${words[1]}" ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :* ]]; then
      files=$line
    elif [[ -n $line ]]; then
      value=\${line%%$'\\t'*}
      description=\${line#*$'\\t'}
      candidates+=("\${value//:/\\\\:}\${description:+:$description}")
    fi
  done
  ((\${#candidates})) && _describe 'mcp-bluegreen' candidates
  case $files in
  :files) _files ;;
  :directories) _files -/ ;;
  esac
}
if [[ \${funcstack[1]} == _mcp-bluegreen ]]; then
  _mcp-bluegreen "$@"
else
  compdef _mcp-bluegreen mcp-bluegreen
fi
`;

const fish = `# fish completion of mcp-bluegreen: mcp-bluegreen completion fish > ~/.config/fish/completions/mcp-bluegreen.fish
function __mcp_bluegreen_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  for line in (command $before[1] ${COMPLETE} $before[2..-1] "$current" 2>/dev/null)
    switch $line
      case :files
        __fish_complete_path "$current"
      case :directories
        __fish_complete_directories "$current"
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c mcp-bluegreen -f -a '(__mcp_bluegreen_complete)'
`;

/** The script of each shell. */
export const SCRIPTS: Readonly<Record<Shell, string>> = { bash, zsh, fish };

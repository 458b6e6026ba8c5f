/**
 * The scripts that shells load. They call `logstore completion candidates`, which prints one line
 * for each candidate, with a tab before its description, or ":file" and ":directory" for the
 * shell's own completion.
 */
const bash = `# completion of logstore for bash
_logstore() {
  local IFS=$'\\n' line
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :file) COMPREPLY+=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")) ;;
      :directory) COMPREPLY+=($(compgen -d -- "\${COMP_WORDS[COMP_CWORD]}")) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(logstore completion candidates -- "\${words[@]}" 2>/dev/null)
}
complete -o filenames -F _logstore logstore
`;

const zsh = `#compdef logstore
# completion of logstore for zsh
_logstore() {
  local line
  local -a found
  while IFS= read -r line; do
    case "$line" in
      :file) _files ;;
      :directory) _files -/ ;;
      *) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <(logstore completion candidates -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#found} )) && _describe logstore found
}
if [ "$funcstack[1]" = "_logstore" ]; then _logstore; else compdef _logstore logstore; fi
`;

const fish = `# completion of logstore for fish
function __logstore_candidates
    set -l words (commandline -opc)[2..-1] (commandline -ct)
    for line in (logstore completion candidates -- $words 2>/dev/null)
        switch $line
            case :file
                __fish_complete_path (commandline -ct)
            case :directory
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c logstore -f -a '(__logstore_candidates)'
`;

const powershell = `# completion of logstore for PowerShell
Register-ArgumentCompleter -Native -CommandName logstore -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $words += $wordToComplete
  logstore completion candidates -- @words 2>$null | ForEach-Object {
    $text, $description = $_ -split "\`t", 2
    if ($text -eq ':file' -or $text -eq ':directory') {
      Get-ChildItem -Path "$wordToComplete*" -Directory:($text -eq ':directory') | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_.Name, $_.Name, 'ProviderItem', $_.Name)
      }
    } else {
      if (-not $description) { $description = $text }
      [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $description)
    }
  }
}
`;

export const scripts = { bash, zsh, fish, powershell } as const;

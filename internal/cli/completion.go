package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ldirectord/ldirectord/internal/daemon"
)

// completion prints what teaches a shell to complete command lines. It is made
// of the table of commands, so that it knows what help knows.
func (s *session) completion() error {
	words, err := s.words(commandFlags(), 1, 1)
	if err != nil {
		return err
	}
	switch words[0] {
	case "bash":
		fmt.Fprint(s.Stdout, bashCompletion())
	case "zsh":
		fmt.Fprint(s.Stdout, zshCompletion())
	case "fish":
		fmt.Fprint(s.Stdout, fishCompletion())
	default:
		return &daemon.Exit{Status: exitUsage, Text: "there is completion for bash, zsh and fish"}
	}
	return nil
}

var optionWord = regexp.MustCompile(`(?m)(?:^| )(--[a-z][a-z-]*)`)

// optionsOf are the options that a command's help and arguments name.
func optionsOf(v *verb) []string {
	var options []string
	for _, m := range optionWord.FindAllStringSubmatch(v.arguments+"\n"+strings.ReplaceAll(v.help, "ipvsadm --", ""), -1) {
		options = append(options, m[1])
	}
	slices.Sort(options)
	return slices.Compact(options)
}

// bashCompletion completes configuration files and commands, and then the
// command's options.
func bashCompletion() string {
	var names []string
	var cases strings.Builder
	for _, v := range verbs() {
		names = append(names, v.name)
		if options := optionsOf(v); len(options) > 0 {
			fmt.Fprintf(&cases, "        %s) words=%q ;;\n", v.name, strings.Join(options, " "))
		}
	}
	all := strings.Join(names, " ")
	return fmt.Sprintf(`# bash completion for ldirectord: source <(ldirectord completion bash)
_ldirectord() {
    local current=${COMP_WORDS[COMP_CWORD]} command= word words
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case " %s " in *" $word "*) command=$word; break ;; esac
    done
    case $command in
%s        help) words=%q ;;
        completion) words="bash zsh fish" ;;
        "") words=%q
            if [ -d /etc/ha.d ]; then words="$words $(cd /etc/ha.d && ls -- *.cf 2>/dev/null)"; fi ;;
        *) words= ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [ ${#COMPREPLY[@]} -eq 0 ] && [ -z "$command" ]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -F _ldirectord ldirectord
`, all, cases.String(), all, all+" "+strings.Join(programOptions, " "))
}

// zshCompletion is the same for zsh, with what each command does beside it.
func zshCompletion() string {
	var names, cases strings.Builder
	for _, v := range verbs() {
		fmt.Fprintf(&names, "    %s\n", zshQuote(v.name+":"+v.summary))
		if options := optionsOf(v); len(options) > 0 {
			fmt.Fprintf(&cases, "        %s) compadd -- %s ;;\n", v.name, strings.Join(options, " "))
		}
	}
	return fmt.Sprintf(`#compdef ldirectord
# zsh completion for ldirectord: ldirectord completion zsh >/usr/local/share/zsh/site-functions/_ldirectord
_ldirectord() {
    local -a commands=(
%s    )
    local command word
    for word in ${words[2,CURRENT-1]}; do
        if [[ -n ${commands[(r)$word:*]} ]]; then command=$word; break; fi
    done
    case $command in
%s        help) _describe command commands ;;
        completion) compadd bash zsh fish ;;
        "") _describe command commands; compadd -- %s; _files -g '*.cf' ;;
    esac
}
_ldirectord "$@"
`, names.String(), cases.String(), strings.Join(programOptions, " "))
}

// fishCompletion is the same for fish.
func fishCompletion() string {
	var names []string
	var lines strings.Builder
	for _, v := range verbs() {
		names = append(names, v.name)
		fmt.Fprintf(&lines, "complete -c ldirectord -f -n 'not __fish_seen_subcommand_from $__ldirectord_commands' -a %s -d %s\n", v.name, fishQuote(v.summary))
		for _, option := range optionsOf(v) {
			fmt.Fprintf(&lines, "complete -c ldirectord -n '__fish_seen_subcommand_from %s' -l %s\n", v.name, strings.TrimPrefix(option, "--"))
		}
	}
	for _, option := range programOptions {
		fmt.Fprintf(&lines, "complete -c ldirectord -n 'not __fish_seen_subcommand_from $__ldirectord_commands' -l %s\n", strings.TrimPrefix(option, "--"))
	}
	return fmt.Sprintf(`# fish completion for ldirectord: ldirectord completion fish | source
set -g __ldirectord_commands %s
%scomplete -c ldirectord -f -n '__fish_seen_subcommand_from help' -a "$__ldirectord_commands"
complete -c ldirectord -f -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'
`, strings.Join(names, " "), lines.String())
}

func fishQuote(text string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(text) + "'"
}

// programOptions are those before the command.
var programOptions = []string{"--config", "--debug", "--dry-run", "--foreground", "--help", "--logdir", "--rundir", "--statedir", "--version"}

func zshQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

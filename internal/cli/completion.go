package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// completionCommand prints the script with which a shell completes command lines. It is
// made of the table of commands.
func completionCommand(*pflag.FlagSet) action {
	return func(s *session, arguments []string) error {
		switch arguments[0] {
		case "bash":
			fmt.Fprint(s.Stdout, bashCompletion())
		case "zsh":
			fmt.Fprint(s.Stdout, zshCompletion())
		case "fish":
			fmt.Fprint(s.Stdout, fishCompletion())
		default:
			return usageError("there is completion for bash, zsh and fish")
		}
		return nil
	}
}

// completions are the options of a command, followed by the arguments that are offered.
func completions(c *command) []string {
	flags, _ := c.flags()
	return append(optionNames(flags), strings.Fields(c.offers)...)
}

// programOptions are the options before the command.
func programOptions() []string { return optionNames(new(invocation).flags()) }

// bashCompletion completes configuration files and commands, and then the
// command's options.
func bashCompletion() string {
	var names []string
	var cases strings.Builder
	for _, c := range commands() {
		names = append(names, c.name)
		if words := completions(c); len(words) > 0 {
			fmt.Fprintf(&cases, "        %s) words=%q ;;\n", c.name, strings.Join(words, " "))
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
        "") words=%q
            if [ -d /etc/ha.d ]; then words="$words $(cd /etc/ha.d && ls -- *.cf 2>/dev/null)"; fi ;;
        *) words= ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [ ${#COMPREPLY[@]} -eq 0 ] && [[ -z $command || $command = import ]]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -F _ldirectord ldirectord
`, all, cases.String(), all, all+" "+strings.Join(programOptions(), " "))
}

// zshCompletion is the same for zsh, with what each command does beside it.
func zshCompletion() string {
	var names, cases strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&names, "    %s\n", zshQuote(c.name+":"+c.summary))
		if words := completions(c); len(words) > 0 {
			fmt.Fprintf(&cases, "        %s) compadd -- %s ;;\n", c.name, strings.Join(words, " "))
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
        import) _files ;;
        "") _describe command commands; compadd -- %s; _files -g '*.cf' ;;
    esac
}
_ldirectord "$@"
`, names.String(), cases.String(), strings.Join(programOptions(), " "))
}

// fishCompletion is the same for fish.
func fishCompletion() string {
	var names []string
	var lines strings.Builder
	for _, c := range commands() {
		names = append(names, c.name)
		fmt.Fprintf(&lines, "complete -c ldirectord -f -n 'not __fish_seen_subcommand_from $__ldirectord_commands' -a %s -d %s\n", c.name, fishQuote(c.summary))
		flags, _ := c.flags()
		lines.WriteString(fishOptions("__fish_seen_subcommand_from "+c.name, flags))
		if c.offers != "" {
			fmt.Fprintf(&lines, "complete -c ldirectord -f -n '__fish_seen_subcommand_from %s' -a %s\n", c.name, fishQuote(c.offers))
		}
	}
	lines.WriteString(fishOptions("not __fish_seen_subcommand_from $__ldirectord_commands", new(invocation).flags()))
	return fmt.Sprintf(`# fish completion for ldirectord: ldirectord completion fish | source
set -g __ldirectord_commands %s
%scomplete -c ldirectord -f -n '__fish_seen_subcommand_from help' -a "$__ldirectord_commands"
`, strings.Join(names, " "), lines.String())
}

// fishOptions are the lines of fish for options that are offered while a condition holds.
func fishOptions(condition string, flags *pflag.FlagSet) string {
	var lines strings.Builder
	for _, o := range optionTexts(flags) {
		takes := ""
		if o.Value != "" && !o.Optional {
			takes = " -r"
		}
		fmt.Fprintf(&lines, "complete -c ldirectord -n '%s' -l %s%s -d %s\n", condition, o.Name, takes, fishQuote(o.Help))
	}
	return lines.String()
}

func fishQuote(text string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(text) + "'"
}

func zshQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

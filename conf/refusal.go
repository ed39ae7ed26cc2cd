package conf

import (
	"cmp"
	"slices"
)

// A Refusal is a part of a virtual service that the kernel refuses. The file is
// still usable, as it was for the original: the kernel keeps the previous value of
// a refused setting, and a refused real server or fallback is missing.
type Refusal struct {
	Directive string // of the virtual service's block; "" if it has a Line
	File      string // of a fallback; "" is the virtual service's
	Line      int    // of a real server or fallback
	Text      string
}

// warnRefusals warns of the kernel's refusals for a complete block.
func (p *parser) warnRefusals(b *block) {
	for _, r := range p.opts.Refusals(b.v) {
		if r.Line == 0 {
			r.Line = b.v.Line
			if i := slices.IndexFunc(b.kernelLines, func(l kernelLine) bool { return l.directive == r.Directive }); i >= 0 {
				r.Line = b.kernelLines[i].line
			}
		}
		hint := ""
		if r.Directive == "scheduler" {
			hint = hintScheduler(b.v.Scheduler)
		}
		p.refusedAt(position{cmp.Or(r.File, b.v.File), r.Line}, "the kernel will refuse "+r.Text, hint)
	}
}

// A kernelLine is the line of a directive that the kernel may refuse.
type kernelLine struct {
	directive string
	line      int
}

// note records the line of a directive; the last of several counts.
func (b *block) note(directive string, line int) {
	b.kernelLines = slices.DeleteFunc(b.kernelLines, func(l kernelLine) bool { return l.directive == directive })
	b.kernelLines = append(b.kernelLines, kernelLine{directive, line})
}

package virtual

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/event"
	"github.com/ldirectord/ldirectord/internal/policy"
	"github.com/ldirectord/ldirectord/internal/report"
)

// QuorumIs reports whether the quorum has a state. Without a quorum it has none.
func (j *Joint) QuorumIs(q policy.Quorum) bool {
	return j.rule.Quorum > 0 && j.Quorum == q
}

// FallbackBeside reports whether the fallback is to be in whatever real servers are in service, for
// want of a quorum.
func FallbackBeside(v *Service) bool { return needsFallback(v, true) }

// words are how many servers are up, and how many have to be.
func (j *Joint) words() string {
	is, again := "are", ""
	if j.up.ForQuorum == 1 {
		is = "is"
	}
	if need := j.rule.Needed(j.Standing); need > j.rule.Quorum {
		again = fmt.Sprintf(" (%d to be met again)", need)
	}
	of := fmt.Sprintf(" of %d", j.rule.Reals)
	if j.rule.BackupBelow > 0 { // backup servers may count, too
		of = ""
	}
	return fmt.Sprintf("%d%s %s up, the quorum is %d", j.up.ForQuorum, of, is, j.rule.Quorum) + again
}

// QuorumNews is the event of a quorum that is lost or met, false if it was reported already.
func QuorumNews(v *Service) (event.Event, bool) {
	now, reported := v.Joint.Quorum, v.Joint.reported.Quorum
	if v.Joint.rule.Quorum == 0 {
		v.Joint.reported.Quorum = policy.QuorumUnknown
		return event.Event{Kind: event.QuorumRegained, Reason: "the configuration has no quorum"}, reported == policy.QuorumLost
	}
	if now == reported || now == policy.QuorumUnknown {
		return event.Event{}, false
	}
	v.Joint.reported.Quorum = now
	e := event.Event{Kind: event.QuorumMet, Reason: v.Joint.words()}
	switch {
	case now == policy.QuorumLost:
		e.Kind = event.QuorumLost
		e.Reason += "; " + withoutQuorum(v)
	case reported == policy.QuorumLost:
		e.Kind = event.QuorumRegained
	}
	return e, true
}

// EndQuorum ends the quorum of a virtual service that has left the table, and reports whether it may have
// been met: it was, or this daemon's first checks have not decided and an earlier daemon may know it so.
func EndQuorum(v *Service) bool {
	met := v.Joint.rule.Quorum != 0 && v.Joint.reported.Quorum != policy.QuorumLost
	v.Joint.reported.Quorum = policy.QuorumLost
	return met
}

// withoutQuorum describes the consequence of a lost quorum.
func withoutQuorum(v *Service) string {
	switch {
	case v.Fallback == nil:
		return "there is no fallback: those that are up stay in service"
	case v.Refuses(v.Fallback.At):
		return "the kernel refuses the fallback " + v.FallbackName() + ": those that are up stay in service"
	case v.Conf.KeepRest:
		return "fallback " + v.FallbackName() + " comes in beside those that are up"
	}
	return "fallback " + v.FallbackName() + " takes over"
}

// Complete adds to the news of a real server's checks why it is in or out of service all the same.
func Complete(v *Service, e *event.Event) {
	words := ""
	switch {
	case e.Real == nil || e.Kind != event.Gone && e.Kind != event.Back:
		return
	case e.Kind == event.Gone && v.keeps(e.Real):
		words = "it " + keptWords
	case e.Kind == event.Back:
		words = jointWordsOf(v, e)
	}
	switch {
	case words == "":
	case e.Reason == "":
		e.Reason = words
	default:
		e.Reason += "; " + words
	}
}

// jointWordsOf is why the real server of an event is out of service, "" if not by the state of v
// as a whole.
func jointWordsOf(v *Service, e *event.Event) string {
	if !v.Joint.rule.Joint() {
		return ""
	}
	for _, r := range v.Reals {
		if r.Conf == e.Real {
			if reason := r.decide().Reason; reason.Joint() {
				return "out of service: " + reasonTexts[reason].words(r)
			}
		}
	}
	return ""
}

// state is the quorum for readers, nil if there is none.
func (j *Joint) state() *report.Quorum {
	if j.rule.Quorum == 0 {
		return nil
	}
	states := map[policy.Quorum]report.QuorumState{policy.QuorumUnknown: report.QuorumUnknown, policy.QuorumMet: report.QuorumMet, policy.QuorumLost: report.QuorumLost}
	return &report.Quorum{State: states[j.Quorum], Up: j.up.ForQuorum, Needed: j.rule.Needed(j.Standing)}
}

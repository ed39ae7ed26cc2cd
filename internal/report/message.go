package report

import "github.com/ldirectord/ldirectord/internal/event"

// A Message is an event for other programs: on the standard input of a notifycommand,
// in the requests to a webhook, and in a monitor log of JSON.
type Message struct {
	Note
	Host    string `json:"host"`              // of the director
	Service string `json:"service,omitempty"` // servicename
	Comment string `json:"comment,omitempty"`
}

// MessageOf returns the message of an event on a host.
func MessageOf(e event.Event, host string) Message {
	m := Message{Note: NoteOf(e), Host: host}
	if e.Virtual != nil {
		m.Service, m.Comment = e.Virtual.ServiceName, e.Virtual.Comment
	}
	return m
}

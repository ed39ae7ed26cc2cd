package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/report"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// An item is what a webhook gets of one event: an alert, if its receiver is an
// Alertmanager, or a message.
type item struct {
	message report.Message
	alert   *postableAlert
}

// A delivery is what one request to a webhook reports. Its JSON is the body for
// webhookformat = json.
type delivery struct {
	Events  []report.Message `json:"events"`
	Omitted int              `json:"omitted,omitempty"` // number of omitted events
	alerts  []*postableAlert
}

func (d *delivery) len() int { return len(d.Events) + len(d.alerts) }

func (d *delivery) add(i item) {
	if i.alert != nil {
		d.alerts = append(d.alerts, i.alert)
		return
	}
	d.Events = append(d.Events, i.message)
}

// body is the body of the request.
func (d *delivery) body(format conf.WebhookFormat) ([]byte, error) {
	switch format {
	case conf.WebhookAlertmanager:
		return json.Marshal(d.alerts)
	case conf.WebhookSlack:
		return encode(slackMessage{Text: d.slackText()})
	}
	return json.Marshal(d)
}

// encode is JSON without the escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// A slackMessage is a request to an incoming webhook of Slack or Mattermost.
type slackMessage struct {
	Text   string `json:"text"`
	Format bool   `json:"mrkdwn"` // false: asterisks and underscores of a server's answer are no markup
}

// longestSlack limits the text of a message for Slack, which recommends 4,000
// characters.
const longestSlack = 3900

// slackEscapes are the characters that begin a link, a mention or an entity.
var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackText is a line for each event, and the number of those that are too many for one
// message.
func (d *delivery) slackText() string {
	var b strings.Builder
	omitted := d.Omitted
	for _, m := range d.Events {
		line := slackEscapes.Replace(slackLine(m))
		if b.Len() > 0 && b.Len()+len(line) > longestSlack {
			omitted++
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(shortened(line, longestSlack))
	}
	if omitted > 0 {
		fmt.Fprintf(&b, "\nand %d more, see the log", omitted)
	}
	return b.String()
}

// slackLine is an event in one line, with its host and its virtual service.
func slackLine(m report.Message) string {
	where := m.Virtual
	if m.Service != "" {
		where = m.Service + ", " + where
	}
	return fmt.Sprintf("%s: %s (%s)", m.Host, safetext.Line(m.Text), safetext.Line(where))
}

// shortened is text of at most length bytes, cut between two characters.
func shortened(text string, length int) string {
	if len(text) <= length {
		return text
	}
	return strings.ToValidUTF8(text[:length], "") + " …"
}

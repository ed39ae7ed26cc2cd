package conf

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"

	"github.com/ldirectord/ldirectord/internal/secret"
)

// WebhookFormat is the form of the requests to a webhook.
type WebhookFormat uint8

// The formats of the webhookformat directive.
const (
	WebhookJSON         WebhookFormat = iota // the events as JSON, as a notifycommand gets them
	WebhookAlertmanager                      // alerts for the API of Prometheus Alertmanager, version 2
	WebhookSlack                             // a text for an incoming webhook of Slack, Mattermost or Rocket.Chat
)

var webhookFormat = choice("json|alertmanager|slack", WebhookJSON, WebhookAlertmanager, WebhookSlack)

// readWebhook is webhook = URL: events are posted to it.
func readWebhook(_ *location, value string) (secret.URL, error) {
	u, err := url.Parse(bareText(value))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", errors.New("webhook must be a URL that begins with http:// or https://")
	}
	if port := u.Port(); port != "" && (number(port, math.MaxUint32) < 1 || number(port, math.MaxUint32) > math.MaxUint16) {
		return "", fmt.Errorf("webhook has the port %s: ports are 1 to 65535", port)
	}
	return secret.URL(u.String()), nil
}

// readWebhookSecret is webhooksecretfile = /PATH|CREDENTIAL: the file with the key of
// the signatures.
func readWebhookSecret(at *location, value string) (file string, err error) {
	file = bareText(value)
	at.config.WebhookSecret, err = at.readSecret(at.name, file)
	return file, err
}

// alertsPath is the end of the URL at which an Alertmanager takes alerts.
const alertsPath = "/api/v2/alerts"

// adviseWebhook warns of settings of the webhook that are not used, and of a format that
// its receiver refuses.
func adviseWebhook(p *parser) {
	c := p.config
	if _, given := p.lines["webhook"]; !given {
		for _, name := range []string{"webhookformat", "webhooksecretfile"} {
			p.adviseAt(name, CodeUnusedDirective, name+" is not used: there is no webhook", "webhook = https://HOST/PATH")
		}
		return
	}
	u, err := url.Parse(c.Webhook.Reveal())
	if err != nil {
		return
	}
	alerts := strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), alertsPath)
	switch slack := u.Hostname() == "hooks.slack.com"; {
	case alerts && c.WebhookFormat != WebhookAlertmanager:
		p.adviseAt("webhook", CodeWebhookFormat, "an Alertmanager refuses the events in this form", "webhookformat = alertmanager")
	case slack && c.WebhookFormat != WebhookSlack:
		p.adviseAt("webhook", CodeWebhookFormat, "Slack refuses the events in this form", "webhookformat = slack")
	case !alerts && c.WebhookFormat == WebhookAlertmanager:
		p.adviseAt("webhook", CodeWebhookFormat, "an Alertmanager takes alerts at "+alertsPath, "webhook = http://HOST:9093"+alertsPath)
	}
}

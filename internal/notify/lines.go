package notify

// The lines of this package in ldirectord.log. Users grep for them, so each is a
// whole format string; the first two begin in the original's words.
const (
	lineMailed        = "emailalert: %s"
	lineFailed        = "failed to send SMTP email message: %v"
	lineFailedLocal   = "failed to send email message: %v"
	lineWorks         = "Mail can be sent again, %d were lost"
	lineCommandFailed = "system(%s) failed: %v"
	lineCommandWorks  = "The notifycommand is run again, of %d events it was not told"
	lineLeft          = "The daemon ends: %d that wait are left (%s)"
	lineLeaves        = "Mails and hooks of %s are left to the director that has its address (notify = active)"
	lineReturns       = "Mails and hooks of %s are sent from here: its address is on this host (notify = active)"
	lineWebhookFailed = "The webhook at %s was not reached: %v"
	lineWebhookWorks  = "The webhook at %s is reached again, %d messages were lost"
)

package conf

// LogFormat is the form of the lines of a log.
type LogFormat uint8

// The formats of the logformat and monitorlogformat directives.
const (
	LogText LogFormat = iota // the original's lines
	LogJSON                  // a JSON object in each line; for syslog, structured data (RFC 5424)
)

var logFormat = choice("text|json", LogText, LogJSON)

// adviseLogs warns of a format without a log.
func adviseLogs(p *parser) {
	if p.config.MonitorLog == "" {
		p.adviseAt("monitorlogformat", CodeUnusedDirective, "monitorlogformat is not used: monitorlog is none", "")
	}
}

package report

// Beside is the kernel's state of IPVS beside its table, as far as the configuration has
// directives for it.
type Beside struct {
	SyncDaemons []SyncDaemon `json:"sync_daemons,omitempty"`
	Other       string       `json:"other,omitempty"`    // what else steers the sync daemon; it is left to that
	Timeouts    *Timeouts    `json:"timeouts,omitempty"` // of connections; nil: there is no ipvstimeouts
}

// A SyncDaemon is one of the kernel's sync daemons, which carry connections between
// directors: one that runs, or one that should.
type SyncDaemon struct {
	Role     string `json:"role"` // master or backup
	Device   string `json:"device"`
	ID       int    `json:"id"`
	Group    string `json:"group"`
	Port     int    `json:"port"`
	Running  bool   `json:"running"`
	Wanted   bool   `json:"wanted"`    // by the configuration
	AsWanted bool   `json:"as_wanted"` // it runs with the configured device, ID, group and port
	Ours     bool   `json:"ours"`      // this program started it
}

// Timeouts are how long the kernel remembers connections without packets.
type Timeouts struct {
	TCP    Seconds `json:"tcp_seconds"`
	TCPFin Seconds `json:"tcp_fin_seconds"`
	UDP    Seconds `json:"udp_seconds"`
}

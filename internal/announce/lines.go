package announce

// The lines of this package in ldirectord.log.
const (
	lineCommandFailed = "vipcommand failed: %v; it is called again in 10 s"
	lineLate          = "Error: vipcommand failed: %v; the virtual services leave the table all the same"
	lineAdded         = "Announced on %s: %s"
	lineRemoved       = "Withdrawn from %s: %s"
	lineDeviceFailed  = "vipdevice %s: %v; it is tried again in 10 s"
	lineOwned         = "Virtual address %s is not added to %s: %s has it"
	lineOwnedSeveral  = "Virtual addresses are not added to %s, as another program has them: %s"
	lineUnread        = "Which addresses an earlier daemon has added to devices is not known: %v"
	lineWorks         = "%s works again"
	lineTaken         = "Host setup: %v; it is tried again every 30 s"
	lineHostFailed    = "Host setup failed: %v; it is tried again in 10 s"
	lineHostLast      = "Host setup failed at the stop: %v; the virtual services leave the table all the same"
	lineHostLate      = "Host setup: withdrawing the addresses failed: %v; the virtual services leave the table all the same"
)

// The faults of this package.
const (
	whatCommand = "vipcommand"
	whatDevice  = "vipdevice"
	whatOwned   = "a virtual address of vipdevice"
	whatHost    = "hostsetup"
	whatTaken   = "a virtual address of hostsetup"
)

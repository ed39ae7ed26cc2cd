package conf

// A Code names a kind of mistake or warning, for programs. A code keeps its name and its
// meaning; the texts may change.
type Code string

// The codes of mistakes. CodeInvalidValue is that of each mistake without a code of its own.
const (
	CodeDuplicateService   Code = "duplicate-service"    // two blocks have the same virtual service
	CodeFileNotFound       Code = "file-not-found"       // there is no such configuration file
	CodeFileUnreadable     Code = "file-unreadable"      // a file cannot be opened or read
	CodeIncludeLoop        Code = "include-loop"         // files include each other, or too many
	CodeInvalidValue       Code = "invalid-value"        // the directive does not take this value
	CodeMalformedLine      Code = "malformed-line"       // a known directive without its "=", its quotes or its indentation
	CodeMisplacedDirective Code = "misplaced-directive"  // a directive of blocks outside of one, or the reverse
	CodeMissingDirective   Code = "missing-directive"    // another directive needs one that is missing
	CodeRemovedDirective   Code = "removed-directive"    // the original removed it
	CodeSameToken          Code = "same-token"           // readers and operators have the same token
	CodeUnknownDirective   Code = "unknown-directive"    // there is no directive of this name
	CodeUnknownUser        Code = "unknown-user"         // this host has no such user
	CodeUnresolvedName     Code = "unresolved-name"      // the address or port of a name is not known
	CodeWrongFamily        Code = "wrong-address-family" // IPv4 in an IPv6 block, or the reverse
)

// The codes of warnings.
const (
	CodeAlwaysUp           Code = "always-up"              // nothing is checked: real servers always count as up
	CodeCommandNotRunnable Code = "command-not-runnable"   // a program is missing, not executable, lacks its interpreter, or does not get its arguments
	CodeCommandWithBlanks  Code = "command-with-blanks"    // blanks belong to the path of checkcommand
	CodeDeprecated         Code = "deprecated-directive"   // the original announces its removal
	CodeDOSLineEnds        Code = "dos-line-ends"          // lines end with CR LF, or with CR alone
	CodeExecuteFile        Code = "execute-file"           // the file of execute cannot be started or examined
	CodeFallbackIsHere     Code = "fallback-is-here"       // the fallback has no address: it is this host
	CodeFallbackIsReal     Code = "fallback-is-real"       // the fallback is a real server, too
	CodeHugeValue          Code = "huge-value"             // a number is so large that another is used, or that it is a slip
	CodeIgnoredText        Code = "ignored-text"           // a part of the line has no effect
	CodeIncludeNothing     Code = "include-matches-none"   // no file fits the pattern of include
	CodeInvalidPattern     Code = "invalid-pattern"        // a regular expression is invalid: it never matches
	CodeKernelRefuses      Code = "kernel-refuses"         // the kernel will refuse a value
	CodeLogUnwritable      Code = "log-unwritable"         // a log cannot be written
	CodeMaintenanceDir     Code = "maintenancedir-missing" // the directory does not exist
	CodeMaintenanceFile    Code = "maintenance-file"       // a file in maintenancedir has no effect, or the directory is unreadable
	CodeMasqWithoutPort    Code = "masq-without-port"      // a masq real server without a port
	CodeNeedsRoot          Code = "needs-root"             // this user cannot examine or write what the daemon of root can
	CodeNeverUp            Code = "never-up"               // the check cannot succeed
	CodeNothingServes      Code = "nothing-serves"         // nothing serves when all real servers are out of service
	CodeNoRealServers      Code = "no-real-servers"        // a virtual service without real servers
	CodeNoVirtualServices  Code = "no-virtual-services"    // the file has no virtual service
	CodeNotInBuild         Code = "not-in-build"           // this program was built without a service's check
	CodeNotLikeOriginal    Code = "not-like-original"      // the original reads the line in another way
	CodePortKept           Code = "port-kept"              // gate and ipip keep the port of the virtual service
	CodeReadableByOthers   Code = "readable-by-others"     // other users can read a file with a secret
	CodeReadAs             Code = "read-as"                // the value has another meaning than it seems
	CodeRepeatedDirective  Code = "repeated-directive"     // the last one counts
	CodeRepeatedReal       Code = "repeated-real-server"   // the last one counts
	CodeRequestURL         Code = "request-url"            // a URL in place of a path, or a path in place of a URL
	CodeTLSFiles           Code = "tls-files"              // certificates or keys cannot be used, or a certificate has ended or ends soon
	CodeTooManyAddresses   Code = "too-many-addresses"     // a name has more than resolvemax
	CodeTokenUnusable      Code = "token-unusable"         // no client can be let in with this token
	CodeUnknownDevice      Code = "unknown-device"         // this host has no such network device
	CodeUnknownFacility    Code = "unknown-facility"       // syslog has no such facility
	CodeUnknownGroup       Code = "unknown-group"          // this host has no such group
	CodeUnusedDirective    Code = "unused-directive"       // a directive has no effect without, or beside, another
	CodeWebhookFormat      Code = "webhook-format"         // the receiver refuses this form
	CodeUnitForbids        Code = "unit-forbids"           // the unit of the daemon forbids what the file wants
	CodeWritableByOthers   Code = "writable-by-others"     // other users can change what root reads or runs
	CodeZeroWeight         Code = "zero-weight"            // clients of a real server with weight 0 are refused or stay
)

package chaos

import "time"

// quiescentTime is the quiescenttime of those services that have one. All is settled later than that.
const quiescentTime = 6 * time.Second

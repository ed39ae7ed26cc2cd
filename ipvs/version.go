package ipvs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A Version is the kernel's IPVS in ipvsadm's first line.
type Version struct {
	Major, Minor, Patch uint8
	TableSize           uint32 // of the hash table of connections
}

// String is ipvsadm's first line: "IP Virtual Server version 1.2.1 (size=4096)".
func (v Version) String() string {
	return fmt.Sprintf("IP Virtual Server version %d.%d.%d (size=%d)", v.Major, v.Minor, v.Patch, v.TableSize)
}

// The command and attributes of include/uapi/linux/ip_vs.h.
const (
	cmdGetInfo          = 15 // IPVS_CMD_GET_INFO
	infoAttrVersion     = 1  // IPVS_INFO_ATTR_VERSION
	infoAttrConnTabSize = 2  // IPVS_INFO_ATTR_CONN_TAB_SIZE
)

// ReadVersion reads the version over a socket of its own. IPVS must be in the
// kernel, as it is after Open.
func ReadVersion(ctx context.Context) (Version, error) {
	family, err := lookup()
	if err != nil {
		return Version{}, err
	}
	type answer struct {
		v   Version
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		v, err := readVersion(family)
		answers <- answer{v, err}
	}()
	select {
	case <-ctx.Done():
		return Version{}, fmt.Errorf("reading the version of IPVS: %w", ctx.Err())
	case a := <-answers:
		if a.err != nil {
			return Version{}, fmt.Errorf("reading the version of IPVS: %w", a.err)
		}
		return a.v, nil
	}
}

// readVersion sends one request. Its socket has a timeout of its own
// (nl.SocketTimeoutTv).
func readVersion(family uint16) (v Version, err error) {
	request := nl.NewNetlinkRequest(int(family), unix.NLM_F_ACK)
	request.AddData(&nl.Genlmsg{Command: cmdGetInfo, Version: genlVersion})
	messages, err := request.Execute(unix.NETLINK_GENERIC, 0)
	if err != nil {
		return v, err
	}
	for _, m := range messages {
		if len(m) < nl.SizeofGenlmsg {
			continue
		}
		attrs, err := nl.ParseRouteAttr(m[nl.SizeofGenlmsg:])
		if err != nil {
			return v, err
		}
		for _, a := range attrs {
			if len(a.Value) < 4 {
				continue
			}
			n := binary.NativeEndian.Uint32(a.Value)
			switch a.Attr.Type {
			case infoAttrVersion:
				v.Major, v.Minor, v.Patch = uint8(n>>16), uint8(n>>8), uint8(n)
			case infoAttrConnTabSize:
				v.TableSize = n
			}
		}
	}
	if v == (Version{}) {
		return v, errors.New("no answer")
	}
	return v, nil
}

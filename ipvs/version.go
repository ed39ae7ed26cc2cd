package ipvs

import (
	"context"
	"errors"
	"fmt"

	"github.com/mqliang/libipvs"
)

// A Version is what ipvsadm's first line tells of the kernel's IPVS.
type Version struct {
	Major, Minor, Patch uint8
	TableSize           uint32 // of the hash table of connections
}

// String is ipvsadm's first line: "IP Virtual Server version 1.2.1 (size=4096)".
func (v Version) String() string {
	return fmt.Sprintf("IP Virtual Server version %d.%d.%d (size=%d)", v.Major, v.Minor, v.Patch, v.TableSize)
}

// ReadVersion asks the kernel, by libipvs and not over a Kernel's own socket. It
// is for commands that end soon: each call leaves a goroutine and a descriptor
// behind. IPVS must be in the kernel, as it is after Open.
func ReadVersion(ctx context.Context) (Version, error) {
	if _, err := lookup(); err != nil {
		return Version{}, err
	}
	type answer struct {
		info libipvs.Info
		err  error
	}
	answers := make(chan answer, 1) // libipvs can wait for ever
	go func() {
		info, err := readInfo()
		answers <- answer{info, err}
	}()
	select {
	case <-ctx.Done():
		return Version{}, fmt.Errorf("reading the version of IPVS: %w", ctx.Err())
	case a := <-answers:
		if a.err != nil {
			return Version{}, fmt.Errorf("reading the version of IPVS: %w", a.err)
		}
		n := a.info.Version
		return Version{uint8(n >> 16), uint8(n >> 8), uint8(n), a.info.ConnTabSize}, nil
	}
}

// readInfo turns the panics of libipvs into errors.
func readInfo() (info libipvs.Info, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("libipvs: %v", p)
		}
	}()
	h, err := libipvs.NewIPVSHandle(libipvs.IPVSHandleParams{})
	if err != nil {
		return info, err
	}
	info, err = h.GetInfo()
	if err == nil && info.Version == 0 {
		err = errors.New("no answer")
	}
	return info, err
}

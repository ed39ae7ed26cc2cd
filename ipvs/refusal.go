package ipvs

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// A refusal is one sentence with the cause and the cure, and wraps one of the
// errors that callers distinguish.
type refusal struct {
	text string
	is   error // nil is none of them
}

func (r refusal) Error() string { return r.text }
func (r refusal) Unwrap() error { return r.is }

// ErrNoService is wrapped by the error of a change whose service is missing. It wraps
// fs.ErrNotExist.
var ErrNoService = fmt.Errorf("no such service: %w", fs.ErrNotExist)

var (
	errNoIPVS   = refusal{"IPVS is not in this kernel: modprobe ip_vs", errors.ErrUnsupported}
	errNoRights = refusal{"no rights to change the IPVS table: run as root or give CAP_NET_ADMIN", fs.ErrPermission}
	errReloaded = refusal{"ip_vs was unloaded and loaded again while in use: restart this program", errors.ErrUnsupported}
	errClosed   = refusal{"the IPVS table is closed", fs.ErrClosed}
)

// refuse words an error of Apply: the change in ipvsadm's notation, then the
// reason.
func refuse(c Change, err error) error {
	if no, ok := errors.AsType[syscall.Errno](err); ok {
		err = c.explain(no)
	}
	var is error
	for _, e := range []error{fs.ErrExist, fs.ErrNotExist, ErrNoService, fs.ErrPermission, errors.ErrUnsupported, fs.ErrClosed} {
		if errors.Is(err, e) {
			is = e
		}
	}
	return refusal{c.String() + ": " + err.Error(), is}
}

// explain turns the kernel's answer to a change into a sentence. The numbers are
// those of ip_vs_genl_set_cmd in net/netfilter/ipvs/ip_vs_ctl.c.
func (c Change) explain(no syscall.Errno) error {
	switch no {
	case syscall.EEXIST:
		return refusal{"the " + c.subject() + " is there already", fs.ErrExist}
	case syscall.ESRCH:
		return refusal{"no such service", ErrNoService}
	case syscall.ENOENT:
		return refusal{c.missing(), fs.ErrNotExist}
	case syscall.EPERM:
		return errNoRights
	case syscall.EAFNOSUPPORT:
		return refusal{"the IPVS of this kernel has no IPv6", errors.ErrUnsupported}
	case syscall.EINVAL:
		return refusal{c.invalid(), nil}
	case syscall.ENOMEM, syscall.ENOBUFS:
		return refusal{"the kernel is out of memory", nil}
	}
	return refusal{"the kernel says: " + no.Error(), nil}
}

func (c Change) subject() string {
	if c.Op == AddService {
		return "service"
	}
	return "destination"
}

// missing is the meaning of ENOENT for this change.
func (c Change) missing() string {
	switch {
	case c.Op != AddService && c.Op != EditService:
		return "no such destination"
	case c.Service.PE != "":
		return "no such scheduler or persistence engine in this kernel: modprobe ip_vs_" + c.Service.Scheduler +
			" ip_vs_pe_" + c.Service.PE
	}
	return "no such scheduler in this kernel: modprobe ip_vs_" + c.Service.Scheduler
}

// invalid is the meaning of EINVAL for this change, except for faults that check
// refuses already.
func (c Change) invalid() string {
	if c.Op == AddDestination {
		return "not a unicast address for this kernel, or the interface lo is down"
	}
	return "the kernel takes it for invalid"
}

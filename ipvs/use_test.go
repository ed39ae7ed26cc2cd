package ipvs

import (
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vishvananda/netlink/nl"
)

// A fakeLink answers each change with answer, after it was closed if it is silent.
type fakeLink struct {
	answer error
	silent bool
	closed chan struct{}
	once   sync.Once
}

func newFakeLink(answer error, silent bool) *fakeLink {
	return &fakeLink{answer: answer, silent: silent, closed: make(chan struct{})}
}

func (f *fakeLink) readEach(func(*Entry)) error { return f.apply(Change{}) }
func (f *fakeLink) close()                      { f.once.Do(func() { close(f.closed) }) }

func (f *fakeLink) apply(Change) error {
	if f.silent {
		<-f.closed
		return errors.New("use of closed file")
	}
	return f.answer
}

// applyAll refuses the first change with answer, if answer is a number.
func (f *fakeLink) applyAll(changes []Change) ([]error, error) {
	answers := make([]error, len(changes))
	answers[0] = f.apply(Change{})
	if answers[0] != nil && !isAnswer(answers[0]) {
		return nil, answers[0]
	}
	return answers, nil
}

func (f *fakeLink) ask(int, uint8, []nl.NetlinkRequestData, func(uint16, []byte)) error {
	return f.apply(Change{})
}

func (f *fakeLink) order(uint8, []nl.NetlinkRequestData) error { return f.apply(Change{}) }

func (f *fakeLink) isClosed() bool {
	select {
	case <-f.closed:
		return true
	default:
		return false
	}
}

// kernelOver is a Kernel that opens the links one after another.
func kernelOver(links ...*fakeLink) *Kernel {
	return &Kernel{limit: answerLimit, dial: func() (link, error) {
		if len(links) == 0 {
			return nil, errNoRights
		}
		l := links[0]
		links = links[1:]
		return l, nil
	}}
}

func TestStuckCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kernelOver(newFakeLink(nil, true), newFakeLink(nil, false))
		start := time.Now()
		err := k.Apply(Change{Op: DeleteService, Service: web})
		if want := "-D -t 10.0.0.1:80: the kernel did not answer within 5s"; errorText(err) != want {
			t.Errorf("got error %q, want %q", errorText(err), want)
		}
		if took := time.Since(start); took != answerLimit {
			t.Errorf("it took %v, want %v", took, answerLimit)
		}
		testStep(t, k, do(DeleteService, web))
		if k.Writes() != 1 {
			t.Errorf("%d writes are counted, 1 was answered", k.Writes())
		}
	})
}

func TestStuckReadEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kernelOver(newFakeLink(nil, true))
		_, err := k.Read()
		if want := "reading the IPVS table: the kernel did not answer within 5s"; errorText(err) != want {
			t.Errorf("got error %q, want %q", errorText(err), want)
		}
	})
}

func TestLinkIsOpenedAgain(t *testing.T) {
	tests := map[string]struct {
		answer error
		again  bool
	}{
		"after success":                 {nil, false},
		"after the kernel's no":         {syscall.EEXIST, false},
		"after an answer may be lost":   {syscall.ENOBUFS, true},
		"after a timeout of a send":     {syscall.EAGAIN, true},
		"after a failure of the socket": {errors.New("wrong pid"), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			first, second := newFakeLink(tt.answer, false), newFakeLink(nil, false)
			k := kernelOver(first, second)
			if err := k.Apply(Change{Op: DeleteService, Service: web}); (err == nil) != (tt.answer == nil) {
				t.Errorf("got error %v for answer %v", err, tt.answer)
			}
			if first.isClosed() != tt.again {
				t.Errorf("closed: %v, want %v", first.isClosed(), tt.again)
			}
			if err := k.Apply(Change{Op: DeleteService, Service: web}); tt.again && err != nil {
				t.Errorf("the next use: %v", err)
			}
			if err := k.Close(); err != nil || !first.isClosed() {
				t.Errorf("Close: error %v, closed %v", err, first.isClosed())
			}
		})
	}
}

func TestErrorOfOpeningAgain(t *testing.T) {
	err := kernelOver().Apply(Change{Op: DeleteService, Service: web})
	want := "-D -t 10.0.0.1:80: no rights to change the IPVS table: run as root or give CAP_NET_ADMIN"
	if errorText(err) != want {
		t.Errorf("got error %q, want %q", errorText(err), want)
	}
}

// The sentences for answers that the kernel's rules, in rules_test.go, do not
// bring about.
func TestRareAnswers(t *testing.T) {
	tests := map[string]struct {
		op     Op
		answer error
		want   string
	}{
		"rights":     {AddService, syscall.EPERM, "run as root or give CAP_NET_ADMIN"},
		"no IPv6":    {AddService, syscall.EAFNOSUPPORT, "the IPVS of this kernel has no IPv6"},
		"no memory":  {AddDestination, syscall.ENOMEM, "the kernel is out of memory"},
		"invalid":    {EditService, syscall.EINVAL, "the kernel takes it for invalid"},
		"unforeseen": {DeleteService, syscall.EIO, "the kernel says: input/output error"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := Change{Op: tt.op, Service: web, Destination: destination("10.1.0.1:80", Masq, 1)}
			err := kernelOver(newFakeLink(tt.answer, false)).Apply(c)
			if want := c.String() + ": "; !strings.HasPrefix(errorText(err), want) {
				t.Errorf("error %q does not begin with %q", errorText(err), want)
			}
			if !strings.HasSuffix(errorText(err), tt.want) {
				t.Errorf("error %q does not end with %q", errorText(err), tt.want)
			}
		})
	}
}

package ipvs

import "syscall"

// memoryBeside is the state beside a table in memory.
type memoryBeside struct {
	daemons  map[SyncRole]SyncDaemon
	timeouts Timeouts // as set; 0 is the initial one
}

// memoryMTU is that of every device in memory.
const memoryMTU = 1500

// SyncDaemons implements Beside.
func (m *Memory) SyncDaemons() ([]SyncDaemon, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errClosed
	}
	var list []SyncDaemon
	for _, r := range SyncRoles {
		if d, ok := m.beside.daemons[r]; ok {
			list = append(list, d)
		}
	}
	return list, nil
}

// StartSync implements Beside. In memory there is every device.
func (m *Memory) StartSync(d SyncDaemon) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return refuseBeside(d.String(), d.Device, m.startSync(d))
}

func (m *Memory) startSync(d SyncDaemon) error {
	if m.closed {
		return errClosed
	}
	if err := d.check(); err != nil {
		return err
	}
	if _, runs := m.beside.daemons[d.Role]; runs {
		return syscall.EEXIST
	}
	if m.beside.daemons == nil {
		m.beside.daemons = map[SyncRole]SyncDaemon{}
	}
	d = d.Effective()
	if d.MaxLen == 0 {
		d.MaxLen = SyncLen(memoryMTU, d.Group)
	}
	m.beside.daemons[d.Role] = d
	return nil
}

// StopSync implements Beside.
func (m *Memory) StopSync(r SyncRole) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, runs := m.beside.daemons[r]
	switch {
	case m.closed:
		return refuseBeside(StopSyncWords(r), "", errClosed)
	case !runs:
		return refuseBeside(StopSyncWords(r), "", syscall.ESRCH)
	}
	delete(m.beside.daemons, r)
	return nil
}

// Timeouts implements Beside.
func (m *Memory) Timeouts() (Timeouts, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return Timeouts{}, errClosed
	}
	return m.beside.timeouts.Or(initialTimeouts), nil
}

// SetTimeouts implements Beside.
func (m *Memory) SetTimeouts(t Timeouts) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := t.check()
	if m.closed {
		err = errClosed
	}
	if err != nil {
		return refuseBeside(t.String(), "", err)
	}
	m.beside.timeouts = t.Or(m.beside.timeouts)
	return nil
}

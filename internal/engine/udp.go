package engine

import "time"

// receiveDatagram waits for the next datagram and forgets what is left of the
// one before. sent is what was just sent, if anything: it is sent again each
// time the target's Resend is over, because datagrams get lost.
func (c *conversation) receiveDatagram(sent []byte) error {
	c.in.release()
	if len(sent) > 0 {
		c.last = append(c.last[:0], sent...)
		c.again = time.Now().Add(c.target.Resend)
	}
	for {
		err := c.waitDatagram()
		if !isTimeout(err) || !time.Now().Before(c.deadline) || c.ctx.Err() != nil {
			return err
		}
		c.again = time.Now().Add(c.target.Resend)
		if err := c.socket.setDeadline(c.deadline); err != nil {
			return err
		}
		if err := c.write(c.last); err != nil {
			return err
		}
	}
}

// waitDatagram waits for a datagram that is not empty: an empty one says
// nothing. It ends at the deadline or when it is time to send again.
func (c *conversation) waitDatagram() error {
	if c.target.Resend > 0 && len(c.last) > 0 && c.again.Before(c.deadline) {
		if err := c.socket.setDeadline(c.again); err != nil {
			return err
		}
	}
	for {
		n, err := c.socket.read(&c.in)
		c.got(c.in.add(n))
		if n > 0 || err != nil {
			return fromPeer(err)
		}
	}
}

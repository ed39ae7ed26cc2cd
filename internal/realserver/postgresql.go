package realserver

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// PostgreSQL starts PostgreSQL's server. Its ports are "pgsql" and "pgsql6". SQLUser with
// SQLPasswd may do everything; SQLDatabase holds what MariaDB's does.
func PostgreSQL(t *testing.T) *Daemon {
	t.Helper()
	const bin = "/usr/lib/postgresql/15/bin/"
	lab.Need(t, "postgresql-15")
	d := newDaemon(t, "postgresql")
	d.hasData = true
	d.ready = "ready to accept connections"
	d.user = "postgres"
	d.chown(d.Dir, d.user)
	data := filepath.Join(d.Dir, "data")
	d.prepare(bin+"initdb", "-D", data, "-U", SQLUser, "-A", "scram-sha-256", "--no-sync",
		"--pwfile="+d.write("passwd", SQLPasswd+"\n"))
	const memory = "dynamic_shared_memory_type=sysv" // not files in /dev/shm, which stay when it is killed
	d.prepareInput("CREATE DATABASE "+SQLDatabase+";\n", bin+"postgres", "--single", "-D", data, "-c", memory, "postgres")
	d.prepareInput("CREATE TABLE stock (id INT PRIMARY KEY);\n"+
		"CREATE TABLE sold (id INT PRIMARY KEY);\n"+
		"INSERT INTO stock VALUES (1), (2);\n", bin+"postgres", "--single", "-D", data, "-c", memory, SQLDatabase)
	hosts := d.write("hosts", "host all all all scram-sha-256\n")
	addr, addr6 := d.listenBoth("pgsql")
	return d.run(bin+"postgres", "-D", data, "-k", d.Dir, "-h", addr.Addr().String()+","+addr6.Addr().String(),
		"-p", fmt.Sprint(addr.Port()), "-c", memory, "-c", "hba_file="+hosts, "-c", "fsync=off", "-c", "shared_buffers=1MB")
}

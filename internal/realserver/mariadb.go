package realserver

import (
	"fmt"
	"testing"

	"github.com/ldirectord/ldirectord/internal/lab"
)

// Who MariaDB and PostgreSQL let in, to which database.
const (
	SQLUser     = "monitor"
	SQLPasswd   = "monitor-secret"
	SQLDatabase = "shop"
)

// MariaDB starts MariaDB's server. Its ports are "mysql" and "mysql6". SQLUser may do
// everything in SQLDatabase, which has the table stock with the rows 1 and 2
// in the column id and the empty table sold like it.
func MariaDB(t *testing.T) *Daemon {
	t.Helper()
	lab.Need(t, "mariadb-server-core", "mariadb-client-core")
	d := newDaemon(t, "mariadb")
	d.hasData = true
	d.ready = "ready for connections"
	d.user = "nobody" // mysql comes with the package of the service
	d.chown(d.Dir, d.user)
	data := d.Dir + "/data"
	d.prepare("/usr/bin/mariadb-install-db", "--no-defaults", "--datadir="+data, "--skip-test-db",
		"--auth-root-authentication-method=normal", "--innodb-log-file-size=4M")
	setup := d.write("setup.sql", fmt.Sprintf(`
CREATE DATABASE IF NOT EXISTS %[1]s;
CREATE TABLE IF NOT EXISTS %[1]s.stock (id INT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS %[1]s.sold (id INT PRIMARY KEY);
REPLACE INTO %[1]s.stock VALUES (1), (2);
CREATE USER IF NOT EXISTS '%[2]s'@'%%' IDENTIFIED BY '%[3]s';
GRANT ALL ON %[1]s.* TO '%[2]s'@'%%';
`, SQLDatabase, SQLUser, SQLPasswd))
	addr, addr6 := d.listenBoth("mysql")
	return d.run("/usr/sbin/mariadbd", "--no-defaults", "--datadir="+data, "--init-file="+setup,
		"--bind-address="+addr.Addr().String()+","+addr6.Addr().String(), fmt.Sprintf("--port=%d", addr.Port()),
		"--socket="+d.Dir+"/socket", "--pid-file="+d.Dir+"/pid", "--skip-name-resolve",
		"--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--performance-schema=OFF")
}

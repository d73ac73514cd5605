package dockertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

const mysqlPort = 3306

// MySQLServer is a MySQL with one database and a user who may do anything in it.
type MySQLServer struct {
	*Container
	User, Password, Database string
	RootPassword             string // root may connect from anywhere
}

// MySQL starts a MySQL that uses little memory, and waits until it answers. Its data survive Kill;
// with Options.Mounts of Volume(t)+":/var/lib/mysql" they survive the container too.
func MySQL(t testing.TB, change ...func(*Options)) *MySQLServer {
	t.Helper()
	s := &MySQLServer{User: "rideshare", Password: rand.Text(), Database: "rideshare", RootPassword: rand.Text()}
	o := Options{
		Service: "mysql",
		Env: map[string]string{
			"MYSQL_ROOT_PASSWORD": s.RootPassword,
			"MYSQL_DATABASE":      s.Database,
			"MYSQL_USER":          s.User,
			"MYSQL_PASSWORD":      s.Password,
		},
		Ports: []int{mysqlPort},
		Args: []string{
			"--innodb-buffer-pool-size=32M",
			"--innodb-redo-log-capacity=32M",
			"--innodb-log-buffer-size=4M",
			"--performance-schema=OFF", // by itself more than all of the rest
			"--table-open-cache=200",
			"--max-connections=100",
			"--skip-log-bin",
			"--mysqlx=OFF",
		},
		Ping: pingMySQL,
	}
	for _, f := range change {
		f(&o)
	}
	s.Container = Start(t, o)
	s.Await(t)
	return s
}

// DSN is the address in the form of github.com/go-sql-driver/mysql, without parameters.
func (s *MySQLServer) DSN() string {
	return fmt.Sprintf("%s:%s@tcp(%s)/%s", s.User, s.Password, s.Addr(mysqlPort), s.Database)
}

// Query runs SQL as the user by the client in the container, and returns its rows: one a line,
// columns separated by tabs, no headings.
func (s *MySQLServer) Query(t testing.TB, sql string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := docker(ctx, []string{"MYSQL_PWD=" + s.Password}, "exec", "--env", "MYSQL_PWD", s.Name(),
		"mysql", "--protocol=TCP", "--user="+s.User, "--batch", "--skip-column-names", "--execute="+sql, s.Database)
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(out)
}

// pingMySQL waits for the greeting. The server listens only when its users and databases are there.
func pingMySQL(ctx context.Context, c *Container) error {
	conn, err := c.dial(ctx, mysqlPort)
	if err != nil {
		return err
	}
	defer conn.Close()   //nolint:errcheck // nothing was sent
	var greeting [5]byte // length, number and version
	if _, err := io.ReadFull(conn, greeting[:]); err != nil {
		return err
	}
	if greeting[4] != 10 {
		return errors.New("mysql refuses connections")
	}
	return nil
}

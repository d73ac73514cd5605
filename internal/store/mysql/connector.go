package mysql

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"

	"github.com/go-sql-driver/mysql"
)

// Settings of every session. The server's own would do today; a session that relies on them fails
// in silence on the day somebody changes them.
var (
	sessionSettings = map[string]string{
		"sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO," +
			"NO_ZERO_DATE,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY'",
		"foreign_key_checks": "1",
		"unique_checks":      "1",
		"autocommit":         "1",
		"wait_timeout":       "31536000", // seconds: an idle worker keeps its connections
	}
	writerSettings = map[string]string{
		"transaction_isolation": "'READ-COMMITTED'", // there is one writer: no gap has to be locked
		// Nobody else writes, so a lock that is held belongs to a connection that is dying.
		"innodb_lock_wait_timeout": "10", // seconds
	}
	readerSettings = map[string]string{
		"transaction_isolation": "'REPEATABLE-READ'",
		"net_write_timeout":     "600", // seconds that the receiver of an export may pause
	}
)

// connector makes connections.
type connector struct {
	driver.Connector
	user, schema string
}

// CheckDSN returns what is wrong with a DSN. Its error does not hold the password.
func CheckDSN(dsn string) error {
	_, err := parseDSN(dsn)
	return err
}

func parseDSN(dsn string) (*mysql.Config, error) {
	config, err := mysql.ParseDSN(dsn)
	switch {
	case err != nil:
		return nil, fmt.Errorf("mysql: the DSN, which is not shown as it holds a password: %w", err)
	case config.User == "" || config.DBName == "":
		return nil, errors.New("mysql: the DSN has to name a user and a schema: user:password@tcp(host:3306)/schema")
	}
	return config, nil
}

// newConnector returns a connector. A guard gets to know its connections.
func newConnector(c Config, g *guard, settings map[string]string) (*connector, error) {
	config, err := parseDSN(c.DSN)
	if err != nil {
		return nil, err
	}
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	maps.Copy(config.Params, sessionSettings)
	maps.Copy(config.Params, settings)
	config.ClientFoundRows = true // rows that match count, also where nothing changes
	config.MultiStatements = true
	config.InterpolateParams = false
	config.ParseTime = false
	config.CheckConnLiveness = false // of connections in a pool, where ours never are
	config.Timeout = c.Patience
	config.Logger = silent{}
	if g != nil {
		g.addr = config.Addr
		config.DialFunc = g.dial
	}
	made, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("mysql: the DSN: %w", err)
	}
	return &connector{made, config.User, config.DBName}, nil
}

// silent drops what the driver would print of errors that it returns as well.
type silent struct{}

func (silent) Print(...any) {}

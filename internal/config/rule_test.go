package config_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rideshare/internal/config"
)

// Every has a field of each type and with each tag that there is.
type Every struct {
	Switch  string        `env:"EX_SWITCH" oneof:"on,off" envDefault:"on"`
	Count   int           `env:"EX_COUNT" min:"2"`
	Reads   uint64        `env:"EX_READS" min:"1"`
	Wait    time.Duration `env:"EX_WAIT" min:"1ms"`
	Idle    time.Duration `env:"EX_IDLE" min:"0s"`
	Yes     bool          `env:"EX_YES"`
	Level   slog.Level    `env:"EX_LEVEL"`
	URL     string        `env:"EX_URL" form:"url"`
	Engine  string        `env:"EX_ENGINE" form:"docker"`
	Addr    string        `env:"EX_ADDR" form:"address"`
	Servers []string      `env:"EX_SERVERS" form:"server"`
	Zone    string        `env:"EX_ZONE" form:"zone"`
	Token   string        `env:"EX_TOKEN" form:"token" secret:"true"`
	Account string        `env:"EX_ACCOUNT" form:"account" secret:"true"`
	Name    string        `env:"EX_NAME"`
	Names   []string      `env:"EX_NAMES"`
}

// The values that are refused, and the words for those that are allowed.
func TestRules(t *testing.T) {
	for _, test := range []struct{ name, allowed, right, wrong string }{
		{"EX_SWITCH", "on or off", "on|off", "ON|true| on"},
		{"EX_COUNT", "a whole number from 2 to 2147483647", "2|2147483647", "1|-1|2147483648|99999999999999999999|two|2.5| 2|0x2"},
		{"EX_READS", "a whole number of at least 1", "1|9223372036854775807", "0|-5|many|9223372036854775808"},
		{"EX_WAIT", "a duration such as 500ms, 10s or 2m, at least 1ms", "1ms|1h30m", "5|0s|0|-1s|1us|10 s|soon"},
		{"EX_IDLE", "a duration such as 500ms, 10s or 2m, or 0s", "0|0s|20s", "-1ns|20"},
		{"EX_YES", "true or false", "true|false|1|0|T", "yes|on|2"},
		{"EX_LEVEL", "DEBUG, INFO, WARN or ERROR", "DEBUG|info|WARN|ERROR", "LOUD|3"},
		{"EX_URL", "a URL such as http://host:8080, with http or https", "http://host:8080|https://host|http://host/path/|http://[::1]:80", "host:8080|ftp://host|http://|http://:80|http://host:x|http://host:65536|http://host:0|http://host?a=1|http://host?|http://host#a|http://ho st|://"},
		{"EX_ENGINE", "a URL such as unix:///var/run/docker.sock", "unix:///var/run/docker.sock|tcp://host:2375", "/var/run/docker.sock|unix://|ftp://host"},
		{"EX_ADDR", "host:port or :port, with a port from 0 to 65535", ":8080|127.0.0.1:0|[::1]:80|host:65535", "8080|host|:|host:|:65536|:-1|:web|::1:80"},
		{"EX_SERVERS", "host:port, with a port from 1 to 65535; several with commas between", "a:2181|a:1,b:2", "a|a:2181,|,|a:0|:2181|a:1;b:2"},
		{"EX_ZONE", "a name of the IANA time zone database", "UTC|Europe/Berlin", "Mars/Olympus|../etc|+01:00"},
		{"EX_NAME", "", "anything at all", ""},
		{"EX_NAMES", "", "a,b", ""},
	} {
		for value := range strings.SplitSeq(test.right, "|") {
			if _, err := config.Load[Every]([]string{test.name + "=" + value}); err != nil {
				t.Errorf("%s=%s: %v", test.name, value, err)
			}
		}
		for value := range strings.SplitSeq(test.wrong, "|") {
			if test.wrong == "" {
				break
			}
			_, err := config.Load[Every]([]string{test.name + "=" + value})
			if want := test.name + ` is "` + value + `": it must be ` + test.allowed; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %s", err, want)
			}
		}
	}
}

// Secrets are not shown, and neither are Go's names.
func TestSecretsAreNotShown(t *testing.T) {
	for name, values := range map[string][]string{
		"EX_TOKEN":   {"hunter2\nhunter2", "hunter2\r", " hunter2", "hunter2\x7f"},
		"EX_ACCOUNT": {"hunter2", "hunter2:", ":hunter2", "hun:ter2\n"},
	} {
		for _, value := range values {
			_, err := config.Load[Every]([]string{name + "=" + value})
			if err == nil || strings.Contains(err.Error(), "ter2") || !strings.Contains(err.Error(), name+" has a wrong value, which is not shown: it must be ") {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
	for _, right := range []string{"EX_TOKEN=a-_.~+/= b", "EX_ACCOUNT=user:pass:word"} {
		if _, err := config.Load[Every]([]string{right}); err != nil {
			t.Errorf("%s: %v", right, err)
		}
	}
}

type embedded struct {
	Every
	Broker string `env:"EX_BROKER,required" doc:"the broker"`
	Least  int    `env:"EX_LEAST" envDefault:"1" min:"1"`
	Most   int    `env:"EX_MOST" envDefault:"5" min:"1"`
}

// Check is what no rule of a single variable can say.
func (e embedded) Check() error {
	if e.Least > e.Most {
		return config.Whole(1, int64(e.Most)).Check("EX_LEAST", "9")
	}
	return nil
}

func TestEveryFaultIsNamed(t *testing.T) {
	_, err := config.Load[embedded]([]string{"EX_COUNT=1", "EX_WAIT=5", "EX_LEAST=0", "EX_MOST=many", "EX_TOKEN_FILE=/no/such"})
	for _, want := range []string{
		`configuration: `, `EX_COUNT is "1"`, `EX_WAIT is "5"`, `EX_LEAST is "0"`, `EX_MOST is "many"`, `EX_TOKEN_FILE is "/no/such"`,
		"EX_BROKER is not set: set it, or set EX_BROKER_FILE to a file that holds its value (the broker)",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %s", err, want)
		}
	}
	if _, err := config.Load[embedded]([]string{"EX_BROKER="}); err == nil || !strings.Contains(err.Error(), "EX_BROKER is not set") {
		t.Errorf("an empty value: %v", err)
	}
	if _, err := config.Load[embedded]([]string{"EX_BROKER=b", "EX_LEAST=9"}); err == nil || !strings.Contains(err.Error(), `EX_LEAST is "9": it must be a whole number from 1 to 5`) {
		t.Errorf("variables that do not fit each other: %v", err)
	}
}

// The same rules check a configuration that a program has put together.
func TestCheck(t *testing.T) {
	c, err := config.Load[embedded]([]string{"EX_BROKER=b", "EX_COUNT=2", "EX_READS=1", "EX_WAIT=1s", "EX_SERVERS=a:1,b:2"})
	if err != nil {
		t.Fatal(err)
	}
	if err := config.Check(c); err != nil {
		t.Error(err)
	}
	c.Count, c.Wait, c.Servers = 0, -1, []string{"a"}
	err = config.Check(c)
	for _, want := range []string{`EX_COUNT is "0"`, `EX_WAIT is "-1ns"`, `EX_SERVERS is "a"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %s", err, want)
		}
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	unreadable := write("unreadable", "secret")
	if err := os.Chmod(unreadable, 0); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct{ path, why string }{
		"missing":     {filepath.Join(dir, "missing"), "no such file"},
		"a folder":    {dir, "is a directory"},
		"empty":       {write("empty", ""), "the file is empty"},
		"a line end":  {write("line", "\r\n"), "the file is empty"},
		"too large":   {write("large", strings.Repeat("a", 64<<10+1)), "larger than 65536 bytes"},
		"endless":     {"/dev/zero", "larger than 65536 bytes"},
		"no content":  {os.DevNull, "the file is empty"},
		"a long name": {filepath.Join(dir, strings.Repeat("a", 300)), "name too long"},
	}
	if syscall.Geteuid() != 0 {
		cases["unreadable"] = struct{ path, why string }{unreadable, "permission denied"}
	}
	for name, test := range cases {
		_, err := config.Load[Every]([]string{"EX_TOKEN_FILE=" + test.path})
		for _, want := range []string{`EX_TOKEN_FILE is "` + test.path + `": it must name a file that holds the value of EX_TOKEN: `, test.why} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one with %s", name, err, want)
			}
		}
	}
	if c, err := config.Load[Every]([]string{"EX_TOKEN_FILE=" + write("good", "secret\r\n")}); err != nil || c.Token != "secret" {
		t.Errorf("%q, %v", c.Token, err)
	}
	if _, err := config.Load[Every]([]string{"EX_TOKEN_FILE=" + write("lines", "one\ntwo\n")}); err == nil || !strings.Contains(err.Error(), "EX_TOKEN has a wrong value") {
		t.Errorf("two lines: %v", err)
	}
}

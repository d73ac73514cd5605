package scripts

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// awslocal remembers the functions that it creates, and keeps the environment that each gets.
const awslocal = `name=
for ((i = 1; i <= $#; i++)); do
	value=${*:i+1:1}
	case ${!i} in
	--function-name) name=$value ;;
	--environment) cp "${value#file://}" "$STATE/environment" ;;
	--zip-file) [[ -s ${value#fileb://} ]] || exit 1 ;;
	esac
done
if [[ -e $STATE/environment ]]; then mv "$STATE/environment" "$STATE/$name.json"; fi
case $2 in
get-function) [[ -e $STATE/$name.function ]] ;;
create-function) [[ ! -e $STATE/$name.function ]] && touch "$STATE/$name.function" ;;
update-*) [[ -e $STATE/$name.function ]] ;;
get-function-url-config) [[ -e $STATE/$name.url ]] && cat "$STATE/$name.url" ;;
create-function-url-config) echo "http://$name.url:4566/" | tee "$STATE/$name.url" ;;
esac`

// localStack is a stage on which 10-deploy.sh can run.
func localStack(t *testing.T) *stage {
	s := set(t)
	s.standIn("awslocal", awslocal)
	for name, content := range map[string]string{
		"Users.zip": "zip", "Rides.zip": "zip", "Orchestrator.zip": "zip", "service_token": "the token\n", "database_token": "a token\n", "snapshot_token": "a third\n",
		"token_key": "the key", "amqp_url_orchestrator": "amqp://rabbitmq:5672/",
	} {
		if err := os.WriteFile(s.file(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.env = append(s.env, "RIDESHARE_ZIPS="+s.dir, "RIDESHARE_SECRETS="+s.dir, "ARCHITECTURE=arm64", `RIDESHARE_TIMEZONE="\`,
		"RIDESHARE_CORS_ORIGINS=https://app.example")
	return s
}

// environment returns what a function got.
func (s *stage) environment(name string) map[string]string {
	s.Helper()
	var file struct{ Variables map[string]string }
	if err := json.Unmarshal([]byte(s.read(name+".json")), &file); err != nil {
		s.Fatal(err)
	}
	return file.Variables
}

const deployScript = "localstack/init/ready.d/10-deploy.sh"

func TestLocalStackCreatesThenUpdates(t *testing.T) {
	s := localStack(t)
	out := s.must(deployScript)
	if !strings.Contains(out, "rides is on http://rides.url:4566\n") {
		t.Errorf("it does not say where rides is:\n%s", out)
	}
	first := s.calls()
	var want []string
	for _, name := range []string{"orchestrator", "users", "rides"} { // who is called comes first
		zip := strings.ToUpper(name[:1]) + name[1:] + ".zip"
		want = append(want,
			"awslocal lambda create-function --function-name "+name+" --architectures arm64 --runtime provided.al2023"+
				" --handler bootstrap --role arn:aws:iam::000000000000:role/rideshare --zip-file fileb://"+s.file(zip),
			"awslocal lambda wait function-active-v2 --function-name "+name,
			"awslocal lambda create-function-url-config --function-name "+name+" --auth-type NONE")
	}
	s.inOrder(first, want...)
	s.none(first, "awslocal lambda update")
	for _, name := range []string{"orchestrator", "users", "rides"} {
		got := s.environment(name)
		service, key := "", "the key"
		if name == "orchestrator" {
			service, key = "the token", ""
		}
		if got["RIDESHARE_DATABASE_TOKEN"] != "a token" || got["RIDESHARE_SERVICE_TOKEN"] != service || got["RIDESHARE_TOKEN_KEY"] != key || got["RIDESHARE_AUTH"] != "on" {
			t.Errorf("%s gets %v", name, got)
		}
		if origins := got["RIDESHARE_CORS_ORIGINS"]; origins != "https://app.example" {
			t.Errorf("%s shares its API with %q", name, origins)
		}
		if url := got["ORCHESTRATOR_URL"]; name != "orchestrator" && url != "http://orchestrator.url:4566" {
			t.Errorf("%s calls the orchestrator on %q", name, url)
		}
	}
	if got := s.environment("orchestrator")["AMQP_URL"]; got != "amqp://rabbitmq:5672/" {
		t.Errorf("the orchestrator's broker is %q", got)
	}
	if got := s.environment("rides")["RIDESHARE_TIMEZONE"]; got != `"\` {
		t.Errorf("the time zone is %q", got)
	}

	s.env = append(s.env, "RIDESHARE_AUTH=off")
	s.must(deployScript)
	second := s.calls()
	s.none(second, "awslocal lambda create")
	s.inOrder(second,
		"awslocal lambda update-function-code --function-name users --architectures arm64 --zip-file",
		"awslocal lambda wait function-updated-v2 --function-name users",
		"awslocal lambda update-function-configuration --function-name users",
		"awslocal lambda wait function-updated-v2 --function-name users")
	if got := s.environment("orchestrator")["RIDESHARE_HOSTS"]; got != ".localhost.localstack.cloud," {
		t.Errorf("without tokens the functions answer only to %q", got)
	}
	if got := s.environment("users")["RIDESHARE_AUTH"]; got != "off" {
		t.Errorf("after an update RIDESHARE_AUTH is %q", got)
	}
}

func TestLocalStackFailsWithoutAZip(t *testing.T) {
	s := localStack(t)
	if err := os.Remove(s.file("Users.zip")); err != nil {
		t.Fatal(err)
	}
	out, code := s.run(deployScript)
	if code == 0 {
		t.Errorf("it goes well without users:\n%s", out)
	}
	s.none(s.calls(), "awslocal lambda create-function --function-name rides")
}

// TestLocalStackIsStarted runs what `make localstack` runs.
func TestLocalStackIsStarted(t *testing.T) {
	for state, fails := range map[string]bool{"SUCCESSFUL": false, "ERROR": true} {
		t.Run(state, func(t *testing.T) {
			s := set(t)
			s.standIn("docker", docker)
			s.standIn("make", `echo "$ARCHITECTURE" >"$STATE/built"`)
			s.standIn("curl", `echo '{"completed": true, "scripts": [{"name": "10-deploy.sh", "state": "`+state+`"}]}'`)
			out, code := s.run("deploy/localstack")
			if (code != 0) != fails {
				t.Fatalf("exit code %d\n%s", code, out)
			}
			compose := "docker compose -f docker-compose.yml -f localstack/docker-compose.localstack.yml "
			s.inOrder(s.calls(), compose+"up -d watcher", "make --no-print-directory functions", compose+"up -d localstack")
			if got := strings.TrimSpace(s.read("built")); got != architecture {
				t.Errorf("built for %s", got)
			}
			s.must("deploy/localstack", "--down")
			s.inOrder(s.calls(), compose+"rm --stop --force localstack")
		})
	}
}

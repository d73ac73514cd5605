package scripts

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// architecture is this machine's, as Lambda calls it.
var architecture = map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]

func TestSAMSaysWhatIsMissing(t *testing.T) {
	for _, args := range [][]string{{"deploy/sam"}, {"deploy/sam", "--validate"}} {
		s := set(t)
		s.path = s.file("tools")
		if err := os.Mkdir(s.path, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, tool := range []string{"bash", "dirname"} {
			path, err := exec.LookPath(tool)
			if err == nil {
				err = os.Symlink(path, filepath.Join(s.path, tool))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		out, code := s.run(args[0], args[1:]...)
		if code != 1 || !strings.Contains(out, "the SAM CLI is missing") || !strings.Contains(out, "Install it") {
			t.Errorf("%v: exit code %d\n%s", args, code, out)
		}
	}
}

func TestSAM(t *testing.T) {
	for _, engine := range []struct{ name, host, orchestrator string }{
		{"Linux", "172.30.0.1", "http://172.30.0.1:3000"},
		{"Docker Desktop", "127.0.0.1", "http://host.docker.internal:3000"},
	} {
		t.Run(engine.name, func(t *testing.T) {
			s := set(t)
			s.standIn("docker", docker)
			s.standIn("sam", `echo "builds for $ARCHITECTURE" >>"$STATE/sam"`)
			s.env = append(s.env, "ENGINE="+engine.name, `RIDESHARE_TIMEZONE=a "zone" \o/`, "RIDESHARE_CORS_ORIGINS=https://app.example")
			out := s.must("deploy/sam")
			if !strings.Contains(out, "http://"+engine.host+":3000") {
				t.Errorf("it does not say where it is:\n%s", out)
			}
			calls := s.calls()
			s.inOrder(calls,
				"docker compose -f docker-compose.yml up -d watcher",
				"sam build --parameter-overrides Architecture="+architecture,
				"sam local start-api --host "+engine.host+" --port 3000 --docker-network staged-queue --env-vars "+
					s.file("secrets/sam.json"))
			if !strings.HasPrefix(s.read("sam"), "builds for "+architecture+"\n") {
				t.Errorf("it %s", s.read("sam"))
			}

			var file struct{ Parameters map[string]string }
			if err := json.Unmarshal([]byte(s.read("secrets/sam.json")), &file); err != nil {
				t.Fatal(err)
			}
			got := file.Parameters
			for name, want := range map[string]string{
				"RIDESHARE_AUTH": "on", "RIDESHARE_HOSTS": engine.host + ",host.docker.internal,",
				"RIDESHARE_TIMEZONE": `a "zone" \o/`, "ORCHESTRATOR_URL": engine.orchestrator,
				"RIDESHARE_CORS_ORIGINS":  "https://app.example",
				"RIDESHARE_SERVICE_TOKEN": s.read("secrets/service_token"), "RIDESHARE_DATABASE_TOKEN": s.read("secrets/database_token"),
				"RIDESHARE_TOKEN_KEY": s.read("secrets/token_key"),
				"AMQP_URL":            s.read("secrets/amqp_url_orchestrator"),
			} {
				if got[name] != want {
					t.Errorf("%s is %q, want %q", name, got[name], want)
				}
			}
			// SAM drops what the template does not declare.
			template, err := os.ReadFile(filepath.Join(root, "template.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for name := range got {
				if !regexp.MustCompile(`(?m)^ +` + name + `: `).Match(template) {
					t.Errorf("%s is not declared in template.yaml", name)
				}
			}
			info, err := os.Stat(s.file("secrets/sam.json"))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("others may read the secrets: %v %v", info.Mode(), err)
			}
		})
	}
}

func TestSAMValidatesBothTemplates(t *testing.T) {
	s := set(t)
	s.standIn("sam", `[[ $* != *data-plane.yaml* ]]`)
	if out, code := s.run("deploy/sam", "--validate"); code == 0 {
		t.Errorf("what sam does not like passes:\n%s", out)
	}
	s.inOrder(s.calls(),
		"sam validate --lint --region us-east-1 --template-file template.yaml",
		"sam validate --lint --region us-east-1 --template-file deploy/aws/data-plane.yaml")
}

package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// processor is that of the instance; this machine's, so that its programs run here.
const processor = runtime.GOARCH

// TestDeploy runs what `make deploy` runs.
func TestDeploy(t *testing.T) {
	s := set(t)
	s.standIn("sam", "")
	s.standIn("aws", `case "$*" in
"sts get-caller-identity"*) echo account ;;
"configure get region") echo eu-central-1 ;;
"s3api head-bucket"*) false ;;
"cloudformation describe-stacks"*) printf 'SubnetIds\tsubnet-1,subnet-2\nBrokerHost\tbroker\n' ;;
esac`)
	s.env = append(s.env, "ARCHITECTURE="+architecture, "RIDESHARE_STACK=mine", "RIDESHARE_DATA_PLANE=Slaves=3 VolumeSize=100")
	s.must("deploy/aws/deploy")
	calls := s.calls()
	overrides := "Architecture=" + architecture + " SubnetIds=subnet-1,subnet-2 BrokerHost=broker"
	s.inOrder(calls,
		"aws s3 mb s3://rideshare-account-eu-central-1",
		"aws s3 cp bin/aws/data-plane-",
		"aws cloudformation deploy --stack-name mine-data --template-file deploy/aws/data-plane.yaml --capabilities CAPABILITY_IAM",
		"sam build --parameter-overrides "+overrides,
		"sam deploy --guided --stack-name mine --region eu-central-1 --capabilities CAPABILITY_IAM --resolve-s3 --parameter-overrides "+overrides)
	for _, call := range calls {
		if strings.HasPrefix(call, "aws cloudformation deploy") && !strings.HasSuffix(call, " Slaves=3 VolumeSize=100") {
			t.Errorf("parameters of the data plane are missing: %s", call)
		}
	}
}

func TestInstance(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the instance's programs are for Linux")
	}
	s := set(t)
	bundle := strings.TrimSpace(s.must("deploy/aws/bundle", processor, s.dir))
	if again := strings.TrimSpace(s.must("deploy/aws/bundle", processor, s.dir)); again != bundle {
		t.Errorf("the same bundle is called %s and %s: the instance would be replaced for nothing", bundle, again)
	}
	t.Run("it has what its containers mount", func(t *testing.T) { mounts(t, bundle) })
	t.Run("starts", func(t *testing.T) { starts(t, bundle) })
	for name, faulty := range map[string]struct{ volumes, blkid, says string }{
		"two volumes":       {"vol-1\tvol-2", "0", "there are 2 volumes"},
		"no volume":         {"", "0", "there are 0 volumes"},
		"unreadable volume": {"vol-1", "4", "exit code 4"},
	} {
		t.Run(name, func(t *testing.T) {
			s := instance(t, bundle, faulty.volumes, faulty.blkid)
			out, code := s.start()
			if code == 0 || !strings.Contains(out, faulty.says) {
				t.Errorf("exit code %d\n%s", code, out)
			}
			calls := s.calls()
			for _, harm := range []string{"mkfs.ext4", "mount ", "systemctl"} {
				s.none(calls, harm)
			}
		})
	}
}

// instance unpacks the bundle, and returns a stage of an instance with these volumes, which blkid
// answers for with that exit code.
func instance(t *testing.T, bundle, volumes, blkid string) *stage {
	t.Helper()
	s := set(t)
	if out, err := exec.Command("tar", "-xzf", bundle, "-C", s.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.standIn("docker", docker)
	s.standIn("curl", `case $* in *instance-id) echo i-1 ;; *local-ipv4) echo 10.0.0.7 ;; *) echo session ;; esac`)
	s.standIn("aws", `case "$*" in
"ec2 describe-volumes"*) echo '`+volumes+`' ;;
"secretsmanager get-secret-value --secret-id arn:token "*) echo the token ;;
"secretsmanager get-secret-value"*) echo secret ;;
"cloudformation signal-resource"*) false ;;
esac`)
	s.standIn("mountpoint", `[[ -e $STATE/mounted ]]`)
	s.standIn("mount", `touch "$STATE/mounted"`)
	s.standIn("blkid", "exit "+blkid)
	for _, name := range []string{"udevadm", "mkfs.ext4", "resize2fs", "systemctl"} {
		s.standIn(name, "")
	}
	s.env = append(s.env, "DATA="+s.file("data"), "ETC="+s.file("etc"), "DEVICES="+s.file("dev"), "AWS_DEFAULT_REGION=r",
		"STACK=mine", "ZONE=Z1", "BROKER=broker.mine.internal",
		"BROKER_PASSWORD=arn:broker", "RIDESHARE_SLAVES=2")
	return s
}

func (s *stage) start() (string, int) { return s.run(s.file("deploy/aws/start")) }

// mounts: the engine makes an empty folder in the place of a file that is missing.
func mounts(t *testing.T, bundle string) {
	out, err := exec.Command("tar", "-tzf", bundle).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	packed := map[string]bool{}
	for file := range strings.FieldsSeq(string(out)) {
		packed[file] = true
	}
	source := regexp.MustCompile(`- "?(\./[^:"$]+):/`)
	found := 0
	for _, compose := range []string{"../../docker-compose.yml", "../../deploy/aws/compose.yml"} {
		text, err := os.ReadFile(compose)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range source.FindAllStringSubmatch(string(text), -1) {
			if found++; !packed[m[1]] {
				t.Errorf("%s mounts %s, which is not in the bundle", compose, m[1])
			}
		}
	}
	if found < 3 {
		t.Errorf("only %d mounts were found", found)
	}
}

// starts tests the first start, and one after a restart.
func starts(t *testing.T, bundle string) {
	const blank = "2"
	s := instance(t, bundle, "vol-1", blank)
	out, code := s.start()
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	device := s.file("dev/nvme-Amazon_Elastic_Block_Store_vol1")
	s.inOrder(s.calls(),
		"aws ec2 wait volume-available --volume-ids vol-1",
		"aws ec2 attach-volume --volume-id vol-1 --instance-id i-1",
		"mkfs.ext4 -q "+device,
		"mount -o noatime "+device+" "+s.file("data"),
		"systemctl start docker",
		"docker compose -f docker-compose.yml -f deploy/aws/compose.yml up -d watcher",
		"aws route53 change-resource-record-sets --hosted-zone-id Z1",
		"aws cloudformation signal-resource --stack-name mine --logical-resource-id Instances --unique-id i-1")
	if got := s.read("data/secrets/amqp_url_orchestrator"); got != "amqp://orchestrator:secret@rabbitmq:5672/" {
		t.Errorf("the orchestrator's broker is %q", got)
	}
	if got := s.read("etc/docker/daemon.json"); !strings.Contains(got, s.file("data/docker")) {
		t.Errorf("Docker's data is not on the volume: %s", got)
	}

	// A restart: the volume is attached, and mounted no more.
	if err := os.MkdirAll(filepath.Dir(device), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{device, s.file("mounted")} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(device, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.standIn("blkid", "")
	worker := s.read("data/secrets/rabbitmq_worker")
	if out, code := s.start(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	calls := s.calls()
	s.none(calls, "aws ec2 attach-volume")
	s.none(calls, "mkfs.ext4")
	s.inOrder(calls, "mount ", "systemctl start docker")
	if got := s.read("data/secrets/rabbitmq_worker"); got != worker {
		t.Error("the workers have another password than before")
	}
}

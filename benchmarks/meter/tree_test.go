package meter

import (
	"bufio"
	"os"
	"os/exec"
	"testing"
)

// A shell works in a shell of its own, tells that it has, and waits for its input to end.
const worker = `sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo; read x'; echo; read x`

func TestATreeHasWhatItsProcessesHaveStarted(t *testing.T) {
	before, err := Tree(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", worker)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = in.Close(), cmd.Wait() }()
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	outer, err := Tree(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := Process(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if outer.CPU <= alone.CPU || outer.Resident <= outer.Anonymous || outer.Anonymous <= 0 {
		t.Errorf("both shells use %+v, the outer one alone %+v", outer, alone)
	}
	// The inner one ends; what it has used remains.
	if _, err := in.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	after, err := Tree(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after.CPU-before.CPU < outer.CPU {
		t.Errorf("this process and its children used %s more, the shells %s", after.CPU-before.CPU, outer.CPU)
	}
}

func TestAProcessThatIsNotThereIsAnError(t *testing.T) {
	if u, err := Tree(1 << 30); err == nil {
		t.Errorf("it uses %+v", u)
	}
}

func TestThePeakIsTheMostThatWasSeen(t *testing.T) {
	p := &Peak{most: Use{Resident: 1, Anonymous: 1 << 60}}
	p.look(os.Getpid())
	resident, anonymous := p.Memory()
	if resident <= 1 || anonymous != 1<<60 {
		t.Errorf("resident %d, anonymous %d", resident, anonymous)
	}
}

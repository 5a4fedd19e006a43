package integration

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
)

func init() {
	serve("postgres", startPostgres)
	serve("redis", startRedis)
	serve("mariadb", startMariaDB)
	serve("nats", startNATS)
	serve("mosquitto", startMosquitto)
	serve("nginx", startNginx)
}

// at returns a free port, and its address.
func at() (port, addr string, err error) {
	n, err := freePort()
	if err != nil {
		return "", "", err
	}
	port = strconv.Itoa(n)
	return port, "127.0.0.1:" + port, nil
}

// PostgreSQL refuses to run as root.
func startPostgres(dir string) (string, func(), error) {
	postgres, err := lookFor("postgres", "/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", nil, err
	}
	data := filepath.Join(dir, "data")
	if _, err := os.Stat(data); err != nil {
		if os.Geteuid() == 0 {
			uid, gid, err := ids("postgres")
			if err != nil {
				return "", nil, err
			}
			if err := os.Chown(dir, uid, gid); err != nil {
				return "", nil, err
			}
		}
		initdb, err := command("postgres", filepath.Join(filepath.Dir(postgres), "initdb"),
			"-D", data, "-U", "eddy", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
		if err != nil {
			return "", nil, err
		}
		if out, err := initdb.CombinedOutput(); err != nil {
			return "", nil, fmt.Errorf("initdb: %v\n%s", err, out)
		}
	}
	port, addr, err := at()
	if err != nil {
		return "", nil, err
	}
	return program{
		path: postgres,
		args: []string{"-D", data, "-h", "127.0.0.1", "-p", port, "-k", dir, "-F", "-c", "max_connections=200"},
		user: "postgres",
		stop: syscall.SIGQUIT, // at once: nothing is kept
		addr: addr,
		answers: func(ctx context.Context, addr string) error {
			c, err := pgx.Connect(ctx, postgresURL(addr))
			if err != nil {
				return err
			}
			return c.Close(ctx)
		},
	}.run()
}

func postgresURL(addr string) string {
	return "postgres://eddy@" + addr + "/postgres?sslmode=disable"
}

func startRedis(dir string) (string, func(), error) {
	path, err := lookFor("redis-server")
	if err != nil {
		return "", nil, err
	}
	port, addr, err := at()
	if err != nil {
		return "", nil, err
	}
	return program{
		path: path,
		args: []string{"--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "", "--appendonly", "no"},
		stop: syscall.SIGTERM,
		addr: addr,
	}.run()
}

func startMariaDB(dir string) (string, func(), error) {
	path, err := lookFor("mariadbd")
	if err != nil {
		return "", nil, err
	}
	data := filepath.Join(dir, "data")
	as := []string{}
	if os.Geteuid() == 0 {
		as = append(as, "--user=root")
	}
	if _, err := os.Stat(data); err != nil {
		install, err := lookFor("mariadb-install-db")
		if err != nil {
			return "", nil, err
		}
		cmd, err := command("", install, append([]string{"--no-defaults", "--datadir=" + data,
			"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"}, as...)...)
		if err != nil {
			return "", nil, err
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", nil, fmt.Errorf("mariadb-install-db: %v\n%s", err, out)
		}
	}
	port, addr, err := at()
	if err != nil {
		return "", nil, err
	}
	return program{
		path: path,
		args: append([]string{"--no-defaults", "--datadir=" + data, "--bind-address=127.0.0.1", "--port=" + port,
			"--socket=" + filepath.Join(dir, "socket"), "--pid-file=" + filepath.Join(dir, "pid"),
			"--skip-name-resolve", "--innodb-flush-method=fsync", "--innodb-flush-log-at-trx-commit=0"}, as...),
		stop: syscall.SIGKILL, // nothing is kept
		addr: addr,
		answers: func(ctx context.Context, addr string) error {
			db, err := sql.Open("mysql", mariadbDSN(addr))
			if err != nil {
				return err
			}
			defer db.Close()
			return db.PingContext(ctx)
		},
	}.run()
}

func mariadbDSN(addr string) string { return "root@tcp(" + addr + ")/" }

func init() { mysql.SetLogger(&mysql.NopLogger{}) } // of a server that only starts

func startNATS(dir string) (string, func(), error) {
	path, err := lookFor("nats-server")
	if err != nil {
		return "", nil, err
	}
	port, addr, err := at()
	if err != nil {
		return "", nil, err
	}
	return program{path: path, args: []string{"-a", "127.0.0.1", "-p", port}, stop: syscall.SIGTERM, addr: addr}.run()
}

func startMosquitto(dir string) (string, func(), error) {
	path, err := lookFor("mosquitto")
	if err != nil {
		return "", nil, err
	}
	port, addr, err := at()
	if err != nil {
		return "", nil, err
	}
	text := "listener " + port + " 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
	if os.Geteuid() == 0 {
		text += "user root\n"
	}
	config := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return "", nil, err
	}
	return program{path: path, args: []string{"-c", config}, stop: syscall.SIGTERM, addr: addr}.run()
}

// nginx serves HTTP/1 and, to those who know beforehand, HTTP/2 without TLS. "/" answers
// with a line; of "/silent" nothing is heard.
func startNginx(dir string) (string, func(), error) {
	path, err := lookFor("nginx")
	if err != nil {
		return "", nil, err
	}
	port, addr, err := at()
	if err != nil {
		return "", nil, err
	}
	second, http2, err := at()
	if err != nil {
		return "", nil, err
	}
	silent, stopSilent, err := listenSilently()
	if err != nil {
		return "", nil, err
	}
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off;
master_process off;
error_log stderr;
pid nginx.pid;
events { worker_connections 256; }
http {
	access_log off;
	keepalive_requests 1000000000;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	server {
		listen 127.0.0.1:%s;
		listen 127.0.0.1:%s http2;
		location / { return 200 "hello\n"; }
		location /silent { proxy_pass http://%s; proxy_read_timeout 1000s; }
	}
}
`, port, second, silent)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		stopSilent()
		return "", nil, err
	}
	_, stop, err := program{path: path, args: []string{"-p", dir, "-c", config}, stop: syscall.SIGTERM, addr: addr}.run()
	if err != nil {
		stopSilent()
		return "", nil, err
	}
	return addr + " " + http2, func() { stop(); stopSilent() }, nil
}

// SPDX-License-Identifier: Apache-2.0
//! A private registry: the nodes' login, and where its password is not.

use std::{fs, process::Stdio, time::Duration};

use super::lab::{Lab, NAME};
use crate::support::repository::free_port;

/// A registry of our own that lets nobody in but `lane` with `right-of-the-lane`.
struct Private<'a> {
    lab: &'a Lab,
    name: String,
    image: String,
}

impl<'a> Private<'a> {
    /// With a copy of `image` in it; gives its name there, too.
    fn holding(lab: &'a Lab, image: &str) -> (Self, String) {
        let name = format!("{NAME}-private");
        let private = Self {
            lab,
            image: format!("{name}:{}", std::process::id()),
            name,
        };
        let folder = lab.repository.path().join("private");
        fs::create_dir(&folder).unwrap();
        let base = lab.setting("images.registry");
        let dockerfile = format!("FROM {base}\nCOPY htpasswd /htpasswd\n");
        fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
        fs::write(folder.join("htpasswd"), format!("lane:{HASH}\n")).unwrap();
        let folder = folder.to_string_lossy().into_owned();
        let build = ["buildx", "build", "--quiet", "--load", "--tag"];
        lab.docker(&[&build[..], &[&private.image, &folder]].concat())
            .success();
        // The same image under a name that no node has seen.
        let port = free_port();
        private.run(port, &[]);
        let path = format!("pgvector:{}", std::process::id());
        let copy = format!("localhost:{port}/{path}");
        lab.docker(&["pull", image]).success();
        lab.docker(&["tag", image, &copy]).success();
        lab.docker(&["push", &copy]).success();
        lab.docker(&["image", "rm", &copy]).success();
        lab.docker(&["rm", "--force", &private.name]).success();
        let auth = [
            "REGISTRY_AUTH=htpasswd",
            "REGISTRY_AUTH_HTPASSWD_REALM=lane",
            "REGISTRY_AUTH_HTPASSWD_PATH=/htpasswd",
        ];
        private.run(port, &auth);
        let inside = format!("{}:5000/{path}", private.name);
        (private, inside)
    }

    fn run(&self, port: u16, env: &[&str]) {
        let (network, publish) = (format!("{NAME}-e2e"), format!("127.0.0.1:{port}:5000"));
        let volume = format!("{}:/images", self.name);
        let mut args = vec![
            "run",
            "--detach",
            "--name",
            &self.name,
            "--network",
            &network,
        ];
        args.extend(["--publish", &publish, "--volume", &volume]);
        args.extend(["--env", "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/images"]);
        args.extend(env.iter().flat_map(|pair| ["--env", pair]));
        args.push(&self.image);
        self.lab.docker(&args).success();
    }
}

impl Drop for Private<'_> {
    fn drop(&mut self) {
        for args in [
            &["rm", "--force", "--volumes", &self.name][..],
            &["volume", "rm", &self.name],
            &["image", "rm", &self.image],
        ] {
            // What a failed test did not make cannot be removed.
            let ended = self.lab.docker(args);
            assert!(
                ended.status == Some(0) || std::thread::panicking(),
                "{ended:#?}"
            );
        }
    }
}

/// Of `right-of-the-lane`, by bcrypt.
const HASH: &str = "$2b$05$laneoflanelaneoflaneO.ZQZ2rl8Z99Y7HkSWFYlQBfeiN8M445y";

#[test]
fn a_private_registry_opens_with_the_right_login_only() {
    let lab = Lab::up();
    let (image, _) = lab.pushed(&[]);
    let (private, inside) = Private::holding(&lab, &image);
    let generate = ["e2e", "generate-values", "pgvector", "--extension-image"];
    lab.xtask(&[&generate[..], &[&image, "--output", "public.yaml"]].concat())
        .success();
    let values: String = lab
        .read("public.yaml")
        .lines()
        .map(|line| match line.split_once("reference: ") {
            Some((before, _)) => format!("{before}reference: '{inside}'\n"),
            None => format!("{line}\n"),
        })
        .collect();
    fs::write(lab.repository.path().join("values.yaml"), values).unwrap();
    let host = format!("{}:5000", private.name);
    let mirror = format!("{host}=http://{host}");
    let setup = ["e2e", "setup-env", "--mirror", &mirror];
    let login = ["--registry-host", &host, "--registry-username", "lane"];
    let test = ["e2e", "test", "pgvector", "--values", "values.yaml"];
    for (password, passes) in [("wrong-of-the-lane", false), ("right-of-the-lane", true)] {
        let args = [&setup[..], &login].concat();
        let mut command = lab.command(&args);
        let output = command.env("REGISTRY_PASSWORD", password).output().unwrap();
        crate::support::ended::Ended::from(&output).success();
        let ended = lab.xtask(&test);
        if passes {
            ended.success();
        } else {
            ended
                .status(1)
                .says(&format!("refuses the node the image `{inside}`"));
        }
    }
}

/// Reads what every process of the machine was started with, while nodes are given a login.
#[test]
fn a_password_is_in_no_argument_and_no_file_of_ours() {
    let lab = Lab::up();
    let password = "s3cret-of-the-lane";
    let mut child = lab
        .command(&[
            "e2e",
            "setup-env",
            "--verbose",
            "--registry-host",
            "private.example",
            "--registry-username",
            "somebody",
        ])
        .env("REGISTRY_PASSWORD", password)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let encoded = "c29tZWJvZHk6czNjcmV0LW9mLXRoZS1sYW5l";
    while child.try_wait().unwrap().is_none() {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words);
            assert!(
                !words.contains(password) && !words.contains(encoded),
                "{words}"
            );
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(text);
        assert!(
            !text.contains(password) && !text.contains(encoded),
            "{text}"
        );
    }
    for entry in walkdir::WalkDir::new(lab.repository.path().join("target"))
        .into_iter()
        .flatten()
    {
        let text = fs::read(entry.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        assert!(
            !text.contains(password) && !text.contains(encoded),
            "{}",
            entry.path().display()
        );
    }
    let node = lab.node();
    let config = lab
        .docker(&["exec", &node, "cat", "/var/lib/kubelet/config.json"])
        .success()
        .stdout;
    assert!(config.contains(encoded), "the node has no login");
    let mode = lab.docker(&[
        "exec",
        &node,
        "stat",
        "--format",
        "%a",
        "/var/lib/kubelet/config.json",
    ]);
    assert_eq!(mode.success().stdout.trim(), "600");
}

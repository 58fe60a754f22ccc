// SPDX-License-Identifier: Apache-2.0
//! What the fake docker answers, and what its bakes and its servers do.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    printed::{evaluated, printed},
    tools::Tools,
};

const DOCKER: &str = include_str!("fakes/docker.sh");
const BUILDX: &str = include_str!("fakes/buildx.sh");

pub(crate) struct Docker {
    /// A file for each answer.
    answers: PathBuf,
}

impl Docker {
    pub(super) fn on_path(tools: &Tools, fakes: &Path) -> Self {
        tools.fake("docker", DOCKER);
        fs::write(fakes.join("buildx.sh"), BUILDX).unwrap();
        let answers = fakes.join("docker");
        fs::create_dir_all(&answers).unwrap();
        Self { answers }
    }

    fn answer(&self, name: &str, text: &str) {
        fs::write(self.answers.join(name), text).unwrap();
    }

    /// What the engine says of itself, as JSON.
    pub(crate) fn info(&self, json: &str) {
        self.answer("info", json);
    }

    /// An engine of this version, with all that is needed.
    pub(crate) fn version(&self, version: &str) {
        self.info(&format!(
            r#"{{"ServerVersion":"{version}","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],"ClientInfo":{{"Plugins":[{{"Name":"buildx","Version":"1"}}]}}}}"#
        ));
    }

    /// Lets the question for the engine fail.
    pub(crate) fn info_fails(&self, said: &str) {
        self.answer("info.fails", said);
    }

    /// What `buildx inspect` says of the builder.
    pub(crate) fn builder(&self, said: &str) {
        self.answer("builder", said);
    }

    pub(crate) fn builder_fails(&self, said: &str) {
        self.answer("builder.fails", said);
    }

    /// What the bakes of an extension write into the metadata file.
    pub(crate) fn bake_writes(&self, extension: &str, json: &str) {
        self.answer(&format!("bake.writes.{extension}"), json);
    }

    /// The same for targets with their digests.
    pub(crate) fn bake_writes_digests(&self, extension: &str, targets: &[(String, String)]) {
        let mut written = serde_json::Map::new();
        for (target, digest) in targets {
            let said = serde_json::json!({"containerimage.digest": digest});
            written.insert(target.clone(), said);
        }
        written.insert("buildx.build.warnings".into(), serde_json::json!([]));
        self.bake_writes(extension, &serde_json::Value::from(written).to_string());
    }

    /// The digest that the bakes of an extension write for a target.
    pub(crate) fn digest_of(&self, extension: &str, target: &str) -> String {
        let path = self.answers.join(format!("bake.writes.{extension}"));
        let written: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let digest = written[target]["containerimage.digest"].as_str();
        digest.unwrap().to_owned()
    }

    /// Lets the bakes of an extension print this and fail with status 17.
    pub(crate) fn bake_fails(&self, extension: &str, said: &str) {
        self.answer(&format!("bake.fails.{extension}"), said);
    }

    /// Lets the bakes of an extension last until they are ended, each with a child of its own: `hanging` and `child`
    /// of [`super::World::state`] are their numbers.
    pub(crate) fn bake_hangs(&self, extension: &str) {
        self.answer(&format!("bake.hangs.{extension}"), "");
    }

    /// Bakes that hang do not hear that they should end.
    pub(crate) fn is_stubborn(&self) {
        self.answer("stubborn", "");
    }

    /// Lets the images of an extension be where they are to go before anything else of a call ends.
    pub(crate) fn bake_ends_first(&self, extension: &str) {
        self.answer(&format!("bake.first.{extension}"), "");
    }

    /// Lets bake refuse to say what it builds of an extension.
    pub(crate) fn print_fails(&self, extension: &str, said: &str) {
        self.answer(&format!("print.fails.{extension}"), said);
    }

    /// Lets bake evaluate the metadata of an extension, which holds expressions, to these literals.
    pub(crate) fn evaluates(&self, extension: &str, metadata: &str) {
        for (folder, text) in [
            ("printed", printed(metadata).unwrap()),
            ("evaluated", evaluated(metadata)),
        ] {
            fs::create_dir_all(self.answers.join(folder)).unwrap();
            self.answer(&format!("{folder}/{extension}"), &text);
        }
    }

    /// Puts `to` in the place of `from` in what bake says that it builds of an extension.
    pub(crate) fn prints(&self, extension: &str, from: &str, to: &str) {
        let name = format!("printed/{extension}");
        let printed = fs::read_to_string(self.answers.join(&name)).unwrap();
        assert!(printed.contains(from), "{printed}");
        self.answer(&name, &printed.replace(from, to));
    }

    /// The tags that the engine has of any image, one a line.
    pub(crate) fn tags(&self, lines: &str) {
        self.answer("tags", lines);
    }

    /// The sizes of images, one a line: `image<TAB>1.25MB`.
    pub(crate) fn sizes(&self, lines: &str) {
        self.answer("sizes", lines);
    }

    /// The digests of images, one a line: `image<TAB>sha256:…`.
    pub(crate) fn digests(&self, lines: &str) {
        self.answer("digests", lines);
    }

    /// The digest of the configuration that bakes of an extension come to.
    pub(crate) fn bake_configures(&self, extension: &str, digest: &str) {
        self.answer(&format!("bake.configures.{extension}"), digest);
    }

    /// The labels of any image that is there.
    pub(crate) fn labels(&self, json: &str) {
        self.answer("labels", json);
    }

    /// The labels of any image that is pulled.
    pub(crate) fn labels_once_pulled(&self, json: &str) {
        self.answer("labels.remote", json);
    }

    /// What a server that is tested prints.
    pub(crate) fn proof(&self, said: &str) {
        self.answer("proof", said);
    }

    /// Lets the server that is tested print this and fail.
    pub(crate) fn test_fails(&self, said: &str) {
        self.answer("test.fails", said);
    }

    /// Lets the server that is tested last until it is killed.
    pub(crate) fn test_hangs(&self) {
        self.answer("test.hangs", "");
    }

    /// A file of any image that is opened.
    pub(crate) fn file(&self, path: &str, contents: impl AsRef<[u8]>) {
        self.put_file("files", path, contents.as_ref());
    }

    /// A file of one image, `name:tag`, which has no others than these.
    pub(crate) fn file_of(&self, image: &str, path: &str, contents: impl AsRef<[u8]>) {
        self.put_file(&format!("files.{image}"), path, contents.as_ref());
    }

    /// A file of any base image that is opened.
    pub(crate) fn file_of_base(&self, path: &str, contents: impl AsRef<[u8]>) {
        self.put_file("files.base", path, contents.as_ref());
    }

    fn put_file(&self, of: &str, path: &str, contents: &[u8]) {
        let place = self.answers.join(of).join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, contents).unwrap();
    }

    /// The control file of an SQL extension, in any image.
    pub(crate) fn control(&self, name: &str, text: &str) {
        self.put_control("controls", name, text);
    }

    /// The same in the base image.
    pub(crate) fn control_of_base(&self, name: &str, text: &str) {
        self.put_control("controls.base", name, text);
    }

    fn put_control(&self, of: &str, name: &str, text: &str) {
        let folder = self.answers.join(of);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.control")), text).unwrap();
    }

    /// Lets files of images not be copied.
    pub(crate) fn copies_fail(&self, said: &str) {
        self.answer("copy.fails", said);
    }

    /// Lets the reading of an image's files last until it is ended.
    pub(crate) fn export_hangs(&self) {
        self.answer("export.hangs", "");
    }

    /// What apt prints in any image of what it would download.
    pub(crate) fn would_download(&self, lines: &str) {
        self.answer("downloads", lines);
    }

    /// What is printed in any base image of the newest versions.
    pub(crate) fn has_newest(&self, lines: &str) {
        self.answer("newest", lines);
    }

    /// What is printed in any base image of a package.
    pub(crate) fn has_package(&self, lines: &str) {
        self.answer("package", lines);
    }

    /// What is printed of it in the base image of one server.
    pub(crate) fn has_package_for(&self, server: &str, lines: &str) {
        self.answer(&format!("package.{server}"), lines);
    }

    /// What a build of a source finds out.
    pub(crate) fn compiles(&self, lines: &str) {
        self.answer("compiled", lines);
    }

    /// Lets it fail.
    pub(crate) fn compiles_not(&self, said: &str) {
        self.answer("compiled.fails", said);
    }

    /// Lets apt fail in any image.
    pub(crate) fn apt_fails(&self, said: &str) {
        self.answer("apt.fails", said);
    }

    pub(crate) fn apt_works(&self) {
        fs::remove_file(self.answers.join("apt.fails")).unwrap();
    }

    /// Lets the engine keep no data directory; what is committed is there from then on.
    pub(crate) fn keeps_no_data(&self) {
        self.answer("data.none", "");
    }

    /// What identifies any base image, and its platform.
    pub(crate) fn identity_of_base(&self, said: &str) {
        self.answer("base.identity", &format!("{said}\n"));
    }

    /// The images with data directories that are ours: identity and names, one a line; the tag `NOW` is that of the one that was
    /// committed.
    pub(crate) fn data_directories(&self, lines: &[&str]) {
        self.answer("data.ours", &(lines.join("\n") + "\n"));
    }

    /// Lets one of the calls about a data directory print this and fail: `data.fails`, `commit.fails`, `data.gone`.
    pub(crate) fn lets_fail(&self, call: &str, said: &str) {
        self.answer(call, said);
    }

    /// Nodes cannot pull images before pods want them.
    pub(crate) fn prefetch_fails(&self) {
        self.answer("prefetch.fails", "");
    }

    /// The engine has no base image until it is pulled.
    pub(crate) fn has_no_base(&self) {
        self.answer("base.none", "");
    }

    /// Somebody else has containers of the names that tests want.
    pub(crate) fn names_are_taken(&self) {
        self.answer("taken", "");
    }
}

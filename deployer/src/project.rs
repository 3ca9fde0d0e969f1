//! The project's folder and its stage files.

use crate::failure::Failure;
use deployer_core::stage_file::{
    self, FileProblems, FileText, Origin, Place, SERVICE_FILE_STEM, Setting, StageDefinition,
    nearest,
};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Where stage files live, below the project's folder.
pub const STAGES: &str = "stages";

/// Overrides the port of local stages, so that several checkouts (or CI jobs) of
/// one machine don't meet.
const PORT_VARIABLE: &str = "DEPLOYER_LOCAL_PORT";

/// A project: a folder with `stages/` and a Cargo workspace.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder.
    pub root: PathBuf,
}

impl Project {
    /// The given folder, or the nearest one upwards that has stage files.
    pub fn find(given: Option<&Path>) -> Result<Self, Failure> {
        let missing = |message: String| Failure::Input {
            message,
            next_step: "run the command inside a project, or name its folder with --project"
                .to_owned(),
        };
        let start = match given {
            Some(dir) => dir.to_owned(),
            None => std::env::current_dir()
                .map_err(|error| missing(format!("the current folder can't be read: {error}")))?,
        };
        let has_stages = |dir: &Path| {
            dir.join(STAGES)
                .join(format!("{SERVICE_FILE_STEM}.toml"))
                .is_file()
        };
        let found = match given {
            Some(dir) => has_stages(dir).then(|| dir.to_owned()),
            None => start
                .ancestors()
                .find(|dir| has_stages(dir))
                .map(Path::to_owned),
        };
        let root = found.ok_or_else(|| {
            missing(format!(
                "there is no {STAGES}/{SERVICE_FILE_STEM}.toml in {}{}",
                start.display(),
                if given.is_some() { "" } else { " or above it" }
            ))
        })?;
        Ok(Self { root })
    }

    /// Where what is made on this machine goes; ignored by git.
    pub fn working_dir(&self) -> PathBuf {
        self.root.join(".deployer")
    }

    /// The folder of the stage files.
    pub fn stages_dir(&self) -> PathBuf {
        self.root.join(STAGES)
    }

    /// The names of the stages there are.
    pub fn stage_names(&self) -> Result<Vec<String>, Failure> {
        let dir = self.stages_dir();
        let entries = std::fs::read_dir(&dir).map_err(|error| unreadable(&dir, &error))?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "toml")
            })
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .filter(|name| name != SERVICE_FILE_STEM)
            .collect();
        names.sort();
        match same_but_for_case(&names) {
            None => Ok(names),
            Some((one, other)) => Err(Failure::Input {
                message: format!("the stages `{one}` and `{other}` differ by case alone"),
                next_step: "rename one's file: IAM takes their roles for the same".to_owned(),
            }),
        }
    }

    /// A stage's settings, with the places that they come from.
    pub fn effective(&self, name: &str) -> Result<Vec<Setting>, Failure> {
        let mut settings = self.read_with(name, name, stage_file::effective)?;
        let port = settings.iter_mut().find(|setting| setting.key == ["port"]);
        if let (Some(setting), Some(given)) = (port, port_in_place()?) {
            setting.value = given.into();
            setting.origin = Origin::Variable(PORT_VARIABLE);
        }
        Ok(settings)
    }

    /// Whether a stage has a file of its own.
    pub fn has_stage(&self, name: &str) -> Result<bool, Failure> {
        Ok(self.stage_names()?.iter().any(|known| known == name))
    }

    /// The service's name.
    pub fn service_name(&self) -> Result<String, Failure> {
        let (path, text) = self.read_file(SERVICE_FILE_STEM)?;
        let (path, text) = (path.as_str(), text.as_str());
        stage_file::service_name(FileText { path, text }).map_err(Failure::StageFiles)
    }

    /// Reads the definition of a stage.
    pub fn read_stage(&self, name: &str) -> Result<StageDefinition, Failure> {
        self.read_stage_as(name, name)
    }

    /// Reads the file `name` as the definition of the stage `stage`.
    pub fn read_stage_as(&self, name: &str, stage: &str) -> Result<StageDefinition, Failure> {
        let mut definition = self.read_with(name, stage, stage_file::read)?;
        if let (Place::Local { port }, Some(given)) = (&mut definition.place, port_in_place()?) {
            *port = given;
        }
        Ok(definition)
    }

    /// What `read` makes of the service's file and of the file `name`, as those of the
    /// stage `stage`.
    fn read_with<T>(
        &self,
        name: &str,
        stage: &str,
        read: impl Fn(&str, FileText<'_>, FileText<'_>) -> Result<T, Vec<FileProblems>>,
    ) -> Result<T, Failure> {
        let names = self.stage_names()?;
        if !names.iter().any(|known| known == name) {
            let message = match names.as_slice() {
                [] => format!("there is no stage `{name}`, and no other"),
                _ => format!(
                    "there is no stage `{name}`; the stages are {}",
                    names.join(", ")
                ),
            };
            let next_step = match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("name one of them, or write {STAGES}/{name}.toml"),
            };
            return Err(Failure::Input { message, next_step });
        }
        let (service_path, service_text) = self.read_file(SERVICE_FILE_STEM)?;
        let (stage_path, stage_text) = self.read_file(name)?;
        read(
            stage,
            FileText {
                path: &service_path,
                text: &service_text,
            },
            FileText {
                path: &stage_path,
                text: &stage_text,
            },
        )
        .map_err(Failure::StageFiles)
    }

    /// A stage file's path as the user knows it, and its text.
    fn read_file(&self, stem: &str) -> Result<(String, String), Failure> {
        let shown = format!("{STAGES}/{stem}.toml");
        let path = self.root.join(&shown);
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        Ok((shown, text))
    }
}

/// Two names that IAM, and some file systems, take for the same.
fn same_but_for_case(names: &[String]) -> Option<(&String, &String)> {
    let mut seen = BTreeMap::new();
    names
        .iter()
        .find_map(|name| Some((seen.insert(name.to_ascii_lowercase(), name)?, name)))
}

/// The port that the environment gives local stages, if it does.
pub fn port_in_place() -> Result<Option<u16>, Failure> {
    std::env::var_os(PORT_VARIABLE)
        .map(|text| port_of(&text))
        .transpose()
}

fn port_of(text: &OsStr) -> Result<u16, Failure> {
    let port = text
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|port| *port >= 1024);
    port.ok_or_else(|| Failure::Input {
        message: format!("{PORT_VARIABLE} is not a port: {}", text.display()),
        next_step: "set it to a number from 1024 to 65535, or unset it".to_owned(),
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Input {
        message: format!("can't read {}: {error}", path.display()),
        next_step: "make it readable".to_owned(),
    }
}

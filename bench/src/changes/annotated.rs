//! Public series that people have annotated, laid out as the Turing institute's TCPD is (G. van den Burg, C. Williams 2020, arXiv
//! 2003.06222), and as Mozilla's annotated series (arXiv 2606.18377) are: `annotations.json`, and each series in a file of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::score::f1_of_annotators;

/// F1 as published for the default settings of E-divisive (`ecp`), of finding nothing (`zero`) and of binary segmentation
/// (`binseg`): TCPDBench, analysis/output/scores/default_f1_scores.json.
const PUBLISHED: [(&str, [f64; 3]); 30] = [
    ("bank", [0.153846, 1.0, 0.4]),
    ("brent_spot", [0.477816, 0.314607, 0.483434]),
    ("businv", [0.301075, 0.588235, 0.37037]),
    ("centralia", [0.762887, 0.762887, 0.909091]),
    ("children_per_woman", [0.348505, 0.507463, 0.617512]),
    ("co2_canada", [0.816946, 0.360976, 0.690569]),
    ("construction", [0.573529, 0.695652, 0.709091]),
    ("debt_ireland", [0.469388, 0.469388, 0.760331]),
    ("gdp_argentina", [0.823529, 0.823529, 0.888889]),
    ("gdp_croatia", [0.823529, 0.823529, 0.583333]),
    ("gdp_iran", [0.651685, 0.651685, 0.491525]),
    ("gdp_japan", [0.888889, 0.888889, 0.615385]),
    ("global_co2", [0.753623, 0.846154, 0.928571]),
    ("homeruns", [0.674897, 0.659218, 0.811881]),
    ("jfk_passengers", [0.436782, 0.723404, 0.77551]),
    ("lga_passengers", [0.391733, 0.534799, 0.438202]),
    ("nile", [1.0, 0.823529, 1.0]),
    ("ozone", [0.723404, 0.723404, 0.649573]),
    ("quality_control_1", [0.666667, 0.666667, 1.0]),
    ("quality_control_2", [1.0, 0.75, 1.0]),
    ("quality_control_3", [1.0, 0.666667, 1.0]),
    ("quality_control_4", [0.393162, 0.780488, 0.872727]),
    ("quality_control_5", [1.0, 1.0, 1.0]),
    ("rail_lines", [0.536585, 0.536585, 0.846154]),
    ("seatbelts", [0.321429, 0.62069, 0.682927]),
    ("shanghai_license", [0.697674, 0.636364, 0.867925]),
    ("unemployment_nl", [0.620321, 0.566308, 0.876404]),
    ("us_population", [0.173913, 0.888889, 0.666667]),
    ("usd_isk", [0.661346, 0.488665, 0.656514]),
    ("well_log", [0.8183, 0.237023, 0.534202]),
];

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Vec<f64>,
    /// Where each annotator sees changes.
    pub annotators: Vec<Vec<usize>>,
}

impl Series {
    /// F1 of what was found in it.
    #[must_use]
    pub fn f1(&self, told: &[usize]) -> f64 {
        f1_of_annotators(&self.annotators, told)
    }

    /// What is published of it: F1 of E-divisive, of finding nothing, of binary segmentation.
    #[must_use]
    pub fn published(&self) -> Option<[f64; 3]> {
        PUBLISHED.iter().find(|(name, _)| *name == self.name).map(|(_, scores)| *scores)
    }
}

/// All series of a folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Public {
    /// Those that can be read.
    pub series: Vec<Series>,
    /// Those that the annotations name and that are not there, or have several dimensions or gaps.
    pub left_out: Vec<String>,
}

/// The folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AnnotatedError {
    /// A file.
    #[error("{}: {source}; name a folder with annotations.json and datasets, such as a clone of alan-turing-institute/TCPD", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Its content.
    #[error("{}: {source}", path.display())]
    Json {
        /// Which.
        path: PathBuf,
        /// The parser's message.
        source: serde_json::Error,
    },
}

#[derive(Deserialize)]
struct File {
    n_dim: u64,
    series: Vec<Dimension>,
}

#[derive(Deserialize)]
struct Dimension {
    raw: Vec<Option<f64>>,
}

impl Public {
    /// Reads a folder.
    ///
    /// # Errors
    /// [`AnnotatedError`] when its annotations, or a series that is there, cannot be read.
    pub fn read(folder: &Path) -> Result<Self, AnnotatedError> {
        let annotations: BTreeMap<String, BTreeMap<String, Vec<usize>>> =
            json(&folder.join("annotations.json"))?;
        let mut public = Self::default();
        for (name, annotators) in annotations {
            let file = format!("{name}.json");
            let places =
                [folder.join("datasets").join(&name).join(&file), folder.join("datasets").join(&file)];
            let values = match places.iter().find(|path| path.exists()) {
                Some(path) => values(json(path)?),
                None => None,
            };
            match values {
                Some(values) => {
                    public.series.push(Series {
                        name,
                        values,
                        annotators: annotators.into_values().collect(),
                    });
                }
                None => public.left_out.push(name),
            }
        }
        Ok(public)
    }
}

/// The values of a series of one dimension without gaps.
fn values(file: File) -> Option<Vec<f64>> {
    let [dimension] = <[Dimension; 1]>::try_from(file.series).ok()?;
    (file.n_dim == 1).then(|| dimension.raw.into_iter().collect::<Option<Vec<f64>>>()).flatten()
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, AnnotatedError> {
    let text = fs::read_to_string(path).map_err(|source| AnnotatedError::Io { path: path.into(), source })?;
    serde_json::from_str(&text).map_err(|source| AnnotatedError::Json { path: path.into(), source })
}

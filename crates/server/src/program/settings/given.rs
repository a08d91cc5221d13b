//! A value as given in the file or in the environment, and how it sets a setting.

use super::Settings;
use super::declared::{Checked, Form, List, Number, ProviderForm, Setting};
use super::values::{limit_form, read_limit};
use std::ffi::OsString;
use std::path::PathBuf;

/// A value from one source.
pub(super) enum Given {
    File(toml::Value),
    Variable(OsString),
}

impl Given {
    /// Sets a setting to this value, of the identity provider with this name where it is one of a provider.
    ///
    /// # Errors
    /// A sentence about the allowed values.
    pub(super) fn put(self, setting: &Setting, name: &str, to: &mut Settings) -> Result<(), String> {
        match &setting.form {
            Form::Directory(place) => {
                let path = match self {
                    Given::Variable(path) => PathBuf::from(path),
                    file => PathBuf::from(file.text()?),
                };
                if path.as_os_str().is_empty() {
                    return Err("must be a directory".to_owned());
                }
                *place(to) = path;
            }
            Form::Text(place) => *place(to) = self.text()?,
            Form::Switch(place) => *place(to) = self.switch()?,
            Form::Number(number) => (number.set)(to, self.number(number)?),
            Form::Choice(choice) => {
                let word = self.text()?;
                if !choice.words.contains(&word.as_str()) {
                    return Err(format!("must be one of {}, not \"{word}\"", choice.words.join(", ")));
                }
                (choice.set)(to, &word);
            }
            Form::List(List { set, .. }) => set(to, self.list()?)?,
            Form::Checked(Checked { set, .. }) => set(to, &self.text()?)?,
            Form::Provider(form) => {
                let provider = to.accounts.oidc.entry(name.to_owned()).or_default();
                match form {
                    ProviderForm::Text(_, set) => set(provider, &self.text()?)?,
                    ProviderForm::Switch(place) => *place(provider) = self.switch()?,
                }
            }
        }
        Ok(())
    }

    /// Sets one limit by its name.
    ///
    /// # Errors
    /// A sentence about the form of a limit.
    pub(super) fn put_limit(self, name: &str, to: &mut Settings) -> Result<(), String> {
        let wrong = |shown: String| format!("{shown} {}", limit_form(name));
        let text = match self {
            Given::File(toml::Value::Integer(number)) => return Err(wrong(number.to_string())),
            Given::File(toml::Value::String(text)) => text,
            Given::File(other) => return Err(wrong(format!("a value of type {}", other.type_str()))),
            variable => variable.text()?,
        };
        let rule = read_limit(name, &text)?;
        to.transport.limits.changed.insert(name.to_owned(), rule);
        Ok(())
    }

    fn text(self) -> Result<String, String> {
        match self {
            Given::Variable(value) => value.into_string().map_err(|_| "is not UTF-8".to_owned()),
            Given::File(toml::Value::String(text)) => Ok(text),
            Given::File(other) => Err(format!("must be text, not a value of type {}", other.type_str())),
        }
    }

    fn switch(self) -> Result<bool, String> {
        match self {
            Given::File(toml::Value::Boolean(on)) => Ok(on),
            Given::File(_) => Err("must be true or false".to_owned()),
            variable => match variable.text()?.as_str() {
                "on" => Ok(true),
                "off" => Ok(false),
                _ => Err("must be on or off".to_owned()),
            },
        }
    }

    /// The ranges exclude values that would admit no client, or that would fail only when the first client
    /// connects.
    fn number(self, number: &Number) -> Result<u64, String> {
        let range = number.range_in_words();
        let value = match self {
            Given::File(toml::Value::Integer(value)) => i128::from(value),
            Given::File(other) => {
                return Err(format!("must be {range}, not a value of type {}", other.type_str()));
            }
            variable => {
                let text = variable.text()?;
                text.parse().map_err(|_| format!("must be {range}, not \"{text}\""))?
            }
        };
        let whole = u64::try_from(value).ok().filter(|value| number.range.contains(value));
        whole.ok_or_else(|| format!("must be {range}, not {value}"))
    }

    fn list(self) -> Result<Vec<String>, String> {
        const FORM: &str = "must be a list of strings";
        match self {
            Given::File(toml::Value::Array(entries)) => entries
                .into_iter()
                .map(|entry| match entry {
                    toml::Value::String(text) => Ok(text),
                    other => Err(format!("{FORM}, without a value of type {}", other.type_str())),
                })
                .collect(),
            Given::File(other) => Err(format!("{FORM}, not a value of type {}", other.type_str())),
            variable => Ok(variable.text()?.split(',').map(|entry| entry.trim().to_owned()).collect()),
        }
    }
}

impl Number {
    /// The range in words, such as `from 1 to 86400`, without the upper end if no one reaches it.
    pub(super) fn range_in_words(&self) -> String {
        let (least, most) = (self.range.start(), self.range.end());
        if *most < u64::from(u32::MAX) {
            format!("from {least} to {most}")
        } else {
            format!("{least} or more")
        }
    }
}

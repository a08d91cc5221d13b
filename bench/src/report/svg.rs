//! Charts with two logarithmic axes, as SVG that reads on light and on dark.

use std::fmt::Write as _;

/// A line through points.
#[derive(Debug)]
pub struct Line {
    /// What stands at its end. A line without a label belongs to the one before it.
    pub label: String,
    /// Its colour: the number of a style.
    pub colour: usize,
    pub dashed: bool,
    pub points: Vec<(f64, f64)>,
}

/// A chart.
#[derive(Debug)]
pub struct Chart {
    pub title: String,
    pub x_title: &'static str,
    pub y_title: &'static str,
    /// The marks of the axes, with their labels. The first and the last are the ends of the axis.
    pub x_marks: Vec<(f64, &'static str)>,
    pub y_marks: Vec<(f64, &'static str)>,
    pub lines: Vec<Line>,
}

const STYLE: &str = "<style>
text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#57606a}
.title{font-size:15px;font-weight:600;fill:#1f2328}.note{font-size:12px}
.ground{fill:#fff}.grid{stroke:#d8dee4;stroke-width:1}.line{fill:none;stroke-width:2.25;stroke-linejoin:round}
.dashed{stroke-dasharray:5 4}.ring{stroke:#fff;stroke-width:1.5}.label{font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:5;stroke-linejoin:round}
.s0{stroke:#0969da}.s1{stroke:#bc4c00}.s2{stroke:#1a7f37}.s3{stroke:#6e7781}
.f0{fill:#0969da}.f1{fill:#bc4c00}.f2{fill:#1a7f37}.f3{fill:#6e7781}
@media(prefers-color-scheme:dark){text{fill:#9198a1}.title{fill:#f0f6fc}.ground{fill:#0d1117}.grid{stroke:#30363d}
.ring,.label{stroke:#0d1117}.s0{stroke:#58a6ff}.s1{stroke:#f0883e}.s2{stroke:#3fb950}.s3{stroke:#9198a1}
.f0{fill:#58a6ff}.f1{fill:#f0883e}.f2{fill:#3fb950}.f3{fill:#9198a1}}
</style>
";
/// The size of one chart with its titles and labels, in pixels.
const WIDTH: f64 = 470.0;
const HEIGHT: f64 = 380.0;
/// The space around the plot.
const LEFT: f64 = 66.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 58.0;
/// How far apart two labels are at least.
const LABEL_HEIGHT: f64 = 16.0;

/// Charts side by side, with a note below.
pub fn drawing(charts: &[Chart], note: &str) -> String {
    let (width, height) = (WIDTH * charts.len() as f64, HEIGHT + 26.0);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\">\n{STYLE}<rect class=\"ground\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"6\"/>\n"
    );
    for (number, chart) in charts.iter().enumerate() {
        let _ = writeln!(text, "<g transform=\"translate({:.0} 0)\">", WIDTH * number as f64);
        chart.draw(&mut text);
        text += "</g>\n";
    }
    let _ = writeln!(
        text,
        "<text class=\"note\" x=\"{LEFT}\" y=\"{:.0}\">{}</text>\n</svg>",
        height - 16.0,
        escaped(note)
    );
    text
}

impl Chart {
    fn draw(&self, text: &mut String) {
        let _ = writeln!(text, "<text class=\"title\" x=\"{LEFT}\" y=\"28\">{}</text>", escaped(&self.title));
        let _ = writeln!(text, "<text class=\"note\" x=\"{LEFT}\" y=\"50\">{}</text>", escaped(self.y_title));
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (value, label) in &self.y_marks {
            let y = self.y(*value);
            let _ = writeln!(
                text,
                "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>"
            );
            let _ = writeln!(
                text,
                "<text text-anchor=\"end\" x=\"{}\" y=\"{:.1}\">{label}</text>",
                LEFT - 9.0,
                y + 4.5
            );
        }
        for (value, label) in &self.x_marks {
            let x = self.x(*value);
            let _ = writeln!(
                text,
                "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{bottom}\" x2=\"{x:.1}\" y2=\"{}\"/>",
                bottom + 5.0
            );
            let _ = writeln!(
                text,
                "<text text-anchor=\"middle\" x=\"{x:.1}\" y=\"{}\">{label}</text>",
                bottom + 21.0
            );
        }
        let _ = writeln!(
            text,
            "<text class=\"note\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{}\">{}</text>",
            (LEFT + right) / 2.0,
            bottom + 42.0,
            escaped(self.x_title)
        );
        for line in &self.lines {
            self.draw_line(line, text);
        }
        self.draw_labels(text);
    }

    fn draw_line(&self, line: &Line, text: &mut String) {
        let points: Vec<(f64, f64)> = line.points.iter().map(|(x, y)| (self.x(*x), self.y(*y))).collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let (colour, dashed) = (line.colour, if line.dashed { " dashed" } else { "" });
        let _ = writeln!(text, "<polyline class=\"line s{colour}{dashed}\" points=\"{}\"/>", path.join(" "));
        for (x, y) in points.iter().filter(|_| !line.dashed) {
            let _ = writeln!(text, "<circle class=\"ring f{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
        }
    }

    /// Each label stands at the end of its line, as near as the others allow.
    fn draw_labels(&self, text: &mut String) {
        let mut labels: Vec<(f64, f64, &Line)> = self
            .lines
            .iter()
            .filter(|line| !line.label.is_empty())
            .filter_map(|line| line.points.last().map(|(x, y)| (self.y(*y), self.x(*x), line)))
            .collect();
        labels.sort_by(|one, other| one.0.total_cmp(&other.0));
        for number in 1..labels.len() {
            // Labels of lines that end elsewhere do not collide.
            let near = (labels[number].1 - labels[number - 1].1).abs() < 90.0;
            if near {
                labels[number].0 = labels[number].0.max(labels[number - 1].0 + LABEL_HEIGHT);
            }
        }
        for (y, x, line) in labels {
            let _ = writeln!(
                text,
                "<text class=\"label f{}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                line.colour,
                x + 10.0,
                y + 4.5,
                escaped(&line.label)
            );
        }
    }

    fn x(&self, value: f64) -> f64 {
        place(value, &self.x_marks, LEFT, WIDTH - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        place(value, &self.y_marks, HEIGHT - BOTTOM, TOP)
    }
}

/// Where a value is on a logarithmic axis between two places. Beyond the ends it is at the end.
fn place(value: f64, marks: &[(f64, &str)], from: f64, to: f64) -> f64 {
    let (Some((low, _)), Some((high, _))) = (marks.first(), marks.last()) else { return from };
    let share = (value / low).ln() / (high / low).ln();
    from + (to - from) * share.clamp(0.0, 1.0)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_logarithmic_and_ends() {
        let marks = [(1.0, "1"), (100.0, "100")];
        for (value, at) in [(1.0, 0.0), (10.0, 50.0), (100.0, 100.0), (0.1, 0.0), (1e9, 100.0)] {
            assert!((place(value, &marks, 0.0, 100.0) - at).abs() < 1e-9, "{value}");
        }
    }
}

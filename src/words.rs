//! Verdicts and certificates as a person reads them.

use valleys_sim::asymmetry::{Certificate, Verdict};

use crate::output::number;

pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Asymmetric => "asymmetric",
        Verdict::Symmetric => "symmetric",
        Verdict::NotAValley => "not a valley",
        Verdict::Undecided => "undecided: asymmetric, but not beyond the errors of measurement",
    }
}

/// `r̄ = 2.000, r̲ = 0.6000, p = 0.03000, c = 15.00`.
pub(crate) fn certificate(certificate: &Certificate) -> String {
    let Certificate { r_hi, r_lo, p, .. } = certificate;
    format!("r̄ = {}, r̲ = {}, p = {}, c {}", number(*r_hi), number(*r_lo), number(*p), ratio(certificate, "= "))
}

pub(crate) fn front_row(width: f64, certificate: &Certificate) -> Vec<String> {
    let Certificate { r_hi, r_lo, p, .. } = certificate;
    vec![number(width), number(*r_lo), number(*r_hi), number(*p), ratio(certificate, "")]
}

fn ratio(certificate: &Certificate, equals: &str) -> String {
    let sign = if certificate.c_is_lower_bound { "≥ " } else { equals };
    format!("{sign}{}", number(certificate.c))
}

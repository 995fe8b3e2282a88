//! Compiles the CUDA kernels, where the feature `cuda` asks for them: for the GPU by nvcc, for the tests by the C++
//! compiler.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "cuda")]
    cuda::build();
}

#[cfg(feature = "cuda")]
mod cuda {
    use std::env;
    use std::path::PathBuf;
    use std::process::{Command, exit};

    const SOURCES: &str = "src/exec/cuda/kernels";
    const DOUBLES: &str = "src/exec/cuda/double";

    /// Capabilities that machine code is made for, unless `VALLEYS_CUDA_ARCH` names others: 8.0 (A100), 9.0 (H100).
    const CAPABILITIES: &str = "80,90";

    pub(crate) fn build() {
        println!("cargo::rerun-if-changed={SOURCES}");
        println!("cargo::rerun-if-changed={DOUBLES}");
        println!("cargo::rerun-if-env-changed=NVCC");
        println!("cargo::rerun-if-env-changed=VALLEYS_CUDA_ARCH");
        let given = env::var("VALLEYS_CUDA_ARCH").ok().filter(|given| !given.is_empty());
        let capabilities = capabilities(&given.unwrap_or_else(|| CAPABILITIES.to_owned()));
        let names: Vec<String> = capabilities.iter().map(u32::to_string).collect();
        println!("cargo::rustc-env=VALLEYS_CUDA_CAPABILITIES={}", names.join(","));
        kernels(&capabilities);
        host();
        double("libcuda.so", &[&format!("{DOUBLES}/driver.cpp"), &format!("{SOURCES}/host.cpp")]);
        double("libcudnn.so", &[&format!("{DOUBLES}/cudnn.cpp")]);
    }

    /// Ascending capabilities, from a list such as `80,90`.
    fn capabilities(list: &str) -> Vec<u32> {
        let parsed: Result<Vec<u32>, _> = list.split(',').map(|capability| capability.trim().parse()).collect();
        let Some(mut capabilities) = parsed.ok().filter(|all| all.iter().all(|one| (80..1000).contains(one))) else {
            fail(&format!("VALLEYS_CUDA_ARCH is `{list}`; allowed: capabilities from 80 on, such as 80,90"));
        };
        capabilities.sort_unstable();
        capabilities.dedup();
        capabilities
    }

    /// Machine code for every capability, and for later ones code that the driver compiles.
    fn kernels(capabilities: &[u32]) {
        let nvcc = env::var("NVCC").ok().filter(|nvcc| !nvcc.is_empty()).unwrap_or_else(|| "nvcc".to_owned());
        let mut command = Command::new(&nvcc);
        // No contraction to fused multiply-adds: numbers as on the CPU. Uncompressed, so that a test can read it.
        command.args(["-fatbin", "-O3", "-std=c++17", "-fmad=false", "--no-compress"]);
        for capability in capabilities {
            command.arg(format!("-gencode=arch=compute_{capability},code=sm_{capability}"));
        }
        let latest = capabilities[capabilities.len() - 1];
        command.arg(format!("-gencode=arch=compute_{latest},code=compute_{latest}"));
        command.arg("-o").arg(out("kernels.fatbin")).arg(format!("{SOURCES}/kernels.cu"));
        match command.output() {
            Ok(output) if output.status.success() => {}
            Ok(output) => fail(&format!(
                "nvcc does not compile the kernels:\n{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )),
            Err(error) => fail(&format!(
                "`{nvcc}` does not run ({error}); the feature `cuda` needs it on PATH or in NVCC, and \
                 scripts/build-cuda.sh gets it where it is missing"
            )),
        }
    }

    /// The kernels in plain loops; only tests call them, and a program without calls to them is linked without them.
    fn host() {
        cc::Build::new()
            .cpp(true)
            .cpp_link_stdlib(None)
            .std("c++17")
            .opt_level(2)
            .flags(["-ffp-contract=off", "-fno-exceptions", "-fno-rtti"])
            .file(format!("{SOURCES}/host.cpp"))
            .compile("valleys_cuda_host");
    }

    /// A library of functions that tests load in the place of one of CUDA's.
    fn double(library: &str, files: &[&str]) {
        let mut compiler = cc::Build::new();
        compiler.cpp(true).std("c++17").opt_level(2).pic(true).flag("-ffp-contract=off");
        let mut command = compiler.get_compiler().to_command();
        command.args(["-shared", &format!("-Wl,-soname,{library}"), &format!("-I{SOURCES}"), "-o"]).arg(out(library));
        command.args(files);
        let done = command.output();
        if !done.as_ref().is_ok_and(|output| output.status.success()) {
            fail(&format!("the C++ compiler does not make {library}: {done:?}"));
        }
    }

    fn out(file: &str) -> PathBuf {
        PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join(file)
    }

    fn fail(problem: &str) -> ! {
        for line in problem.lines() {
            println!("cargo::error={line}");
        }
        exit(1)
    }
}

//! Prints `contract.d.ts`; `cargo xtask contract` writes it into `ui/`.

fn main() {
    print!("{}", contract::commands::typescript());
}

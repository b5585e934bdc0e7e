//! The local stack, the AWS adapters and the handlers behind them, through the real binary and real clients: one program,
//! so that it is linked once.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail where it stands, and say why")]

mod attacks;
mod authorizers;
mod aws;
mod boto3;
mod cli;
mod cloudwatch;
mod common;
mod damage;
mod data;
mod faults;
mod foreign;
mod front_doors;
mod gateway;
mod interoperability;
mod limits;
mod management;
mod process;
mod profile;
mod reader;
mod secrets;
mod service_faults;

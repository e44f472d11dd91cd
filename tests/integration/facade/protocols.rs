//! What tools and other kinds of clients need: reflection, health, gRPC-web, compression.

use passbook::grpc::Limits;
use passbook::grpc::proto::v1;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_stream::StreamExt;
use tonic::codec::CompressionEncoding;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1 as reflection, v1alpha as older};

use crate::facade::test_bank::{At, TestBank, bank_of, branch, in_system};

const OURS: [&str; 2] = ["banking.Branch", "passbook.v1.BankService"];

#[test]
fn reflection_lists_every_service_in_both_versions() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(1), Limits::default(), Some(branch(1)));
        let channel = test_bank.channel().await;
        let names = {
            use reflection::server_reflection_client::ServerReflectionClient;
            use reflection::server_reflection_request::MessageRequest;
            use reflection::server_reflection_response::MessageResponse;
            let request = reflection::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let mut client = ServerReflectionClient::new(channel.clone());
            let asked = client.server_reflection_info(tokio_stream::once(request)).await.unwrap();
            let response = asked.into_inner().next().await.unwrap().unwrap();
            let Some(MessageResponse::ListServicesResponse(listed)) = response.message_response
            else {
                panic!("not a list: {response:?}");
            };
            listed.service.into_iter().map(|service| service.name).collect::<Vec<_>>()
        };
        let older_names = {
            use older::server_reflection_client::ServerReflectionClient;
            use older::server_reflection_request::MessageRequest;
            use older::server_reflection_response::MessageResponse;
            let request = older::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let mut client = ServerReflectionClient::new(channel);
            let asked = client.server_reflection_info(tokio_stream::once(request)).await.unwrap();
            let response = asked.into_inner().next().await.unwrap().unwrap();
            let Some(MessageResponse::ListServicesResponse(listed)) = response.message_response
            else {
                panic!("not a list: {response:?}");
            };
            listed.service.into_iter().map(|service| service.name).collect::<Vec<_>>()
        };
        let served = [
            "banking.Branch",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "passbook.v1.BankService",
        ];
        for mut names in [names, older_names] {
            names.sort();
            assert_eq!(names, served);
        }
    });
}

#[test]
fn each_service_is_healthy_until_the_bank_closes() {
    in_system(async {
        let test_bank = TestBank::with(&bank_of(1), Limits::default(), Some(branch(1)));
        let mut health = HealthClient::new(test_bank.channel().await);
        let ask = |service: &str| HealthCheckRequest { service: service.to_owned() };
        for service in OURS.into_iter().chain([""]) {
            let status = health.check(ask(service)).await.unwrap().into_inner().status();
            assert_eq!(status.as_str_name(), "SERVING", "{service}");
        }
        assert_eq!(health.check(ask("no.such")).await.unwrap_err().code(), tonic::Code::NotFound);
        let mut watched = health.watch(ask(OURS[0])).await.unwrap().into_inner();
        assert_eq!(watched.message().await.unwrap().unwrap().status().as_str_name(), "SERVING");
        test_bank.bank.drain();
        let next = watched.message().await.unwrap().unwrap().status();
        assert_eq!(next.as_str_name(), "NOT_SERVING");
    });
}

#[test]
fn compressed_requests_are_accepted() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let mut bank = test_bank.typed().await;
        bank.0 = bank.0.send_compressed(CompressionEncoding::Gzip);
        assert_eq!(bank.deposit(At(1, 1, None), "1", None).await.unwrap().balance, "101");
        let health = HealthClient::new(test_bank.channel().await);
        let mut health = health.send_compressed(CompressionEncoding::Gzip);
        assert!(health.check(HealthCheckRequest::default()).await.is_ok());
    });
}

/// As a browser sends it: HTTP/1.1, and the trailers in the body.
#[test]
fn a_client_in_a_browser_is_served() {
    in_system(async {
        let test_bank = TestBank::open(&bank_of(1));
        let request = v1::QueryRequest { branch_id: 1, customer_id: 1, ..Default::default() };
        let message = request.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        let body = [&[0], length.as_slice(), &message].concat();
        let head = format!(
            "POST /passbook.v1.BankService/Query HTTP/1.1\r\nhost: passbook\r\n\
             content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let mut wire = test_bank.wire();
        wire.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
        let mut answer = Vec::new();
        wire.read_to_end(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        assert!(text.contains("content-type: application/grpc-web+proto\r\n"), "{text}");
        // Field 1 of the response is the balance, and the last frame holds the trailers.
        assert!(text.contains("\n\u{3}100"), "{text}");
        assert!(text.contains("grpc-status:0"), "{text}");
    });
}

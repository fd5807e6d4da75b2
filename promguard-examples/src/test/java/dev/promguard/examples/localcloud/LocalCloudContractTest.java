package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.digitalocean.Contract;
import java.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** That the check of the local cloud's answers is not blind: it refuses what is known to be bad, of each kind of endpoint. */
class LocalCloudContractTest {
    @BeforeEach
    void needTheContract() {
        assumeTrue(
                Contract.find().isPresent(),
                "DigitalOcean's OpenAPI contract is not there: name its openapi.json with -Dpromguard.contract=…");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
            GET    | /v2/account                   | 200 | {"account":{"droplet_limit":25}}
            GET    | /v2/account/keys              | 200 | {"ssh_keys":[{"id":1,"name":"a","public_key":7}],"meta":{"total":1}}
            POST   | /v2/account/keys              | 200 | {"ssh_key":{"id":1,"name":"a","public_key":"k","fingerprint":"f"}}
            GET    | /v2/account/keys/1            | 200 | {"ssh_key":{"id":1,"name":"a"}}
            DELETE | /v2/account/keys/1            | 204 | {}
            GET    | /v2/regions                   | 200 | {"regions":[{"slug":"tor1","name":"Toronto 1"}],"meta":{"total":1}}
            GET    | /v2/sizes                     | 200 | {"sizes":[{"slug":"s","price_monthly":"6.00"}],"meta":{"total":1}}
            GET    | /v2/images                    | 200 | {"images":[{"id":1,"type":"private"}],"meta":{"total":1}}
            GET    | /v2/images/1                  | 200 | {"image":{"id":1,"regions":["mars1"]}}
            GET    | /v2/droplets                  | 200 | {"droplets":[{"id":1,"status":"booting"}],"meta":{"total":1}}
            POST   | /v2/droplets                  | 200 | {"droplets":[],"links":{}}
            POST   | /v2/droplets                  | 202 | {"droplets":[{"id":1}],"links":{"actions":[]}}
            DELETE | /v2/droplets                  | 202 | ''
            GET    | /v2/droplets/1                | 200 | {"droplet":{"id":1,"name":"a"}}
            DELETE | /v2/droplets/1                | 200 | ''
            GET    | /v2/droplets/1/actions        | 200 | {"actions":[{"id":1,"status":"done"}],"meta":{"total":1}}
            POST   | /v2/droplets/1/actions        | 201 | {"action":{"id":"a"}}
            GET    | /v2/droplets/1/snapshots      | 200 | {"snapshots":[{"id":1}],"meta":{"total":1}}
            GET    | /v2/droplets/1/firewalls      | 200 | {"firewalls":[{"status":"armed"}],"meta":{"total":1}}
            GET    | /v2/actions/1                 | 200 | {"action":{"id":1,"status":"failed"}}
            GET    | /v2/actions                   | 200 | {"actions":[]}
            GET    | /v2/tags                      | 200 | {"tags":[{"name":"a b"}],"meta":{"total":1}}
            POST   | /v2/tags                      | 201 | {"tag":{"name":"a b"}}
            GET    | /v2/tags/a                    | 200 | {"tag":{"name":"a","resources":{"count":-1}}}
            POST   | /v2/tags/a/resources          | 204 | {}
            GET    | /v2/firewalls                 | 200 | {"firewalls":[]}
            POST   | /v2/firewalls                 | 201 | {"firewall":{"name":"fw"}}
            POST   | /v2/firewalls                 | 202 | {"firewall":{"name":"fw","inbound_rules":[{"protocol":"tcp","ports":"22"}]}}
            GET    | /v2/firewalls/x               | 200 | {"firewall":{"name":"fw","status":"armed"}}
            PUT    | /v2/firewalls/x               | 200 | {"firewall":{"name":"fw","inbound_rules":[{"protocol":"sctp","ports":"22","sources":{}}]}}
            DELETE | /v2/firewalls/x               | 204 | {}
            POST   | /v2/firewalls/x/tags          | 200 | ''
            GET    | /v2/vpcs                      | 200 | {"vpcs":[{"id":"x","name":"a b"}],"meta":{"total":1}}
            POST   | /v2/vpcs                      | 201 | {"vpc":{"name":"v","urn":"vpc:1"}}
            GET    | /v2/vpcs/x                    | 200 | {"vpc":{"name":"v","default":"yes"}}
            GET    | /v2/vpcs/x/members            | 200 | {"members":[{"urn":"droplet:1"}],"meta":{"total":1}}
            GET    | /v2/droplets/1                | 404 | {"id":"not_found"}
            GET    | /v2/droplets                  | 429 | {"message":"API rate limit exceeded."}
            """)
    void answer_bad_isRefused(String method, String url, int status, String body) {
        assertThat(Contract.find().orElseThrow().inAnswer(method, url, status, body))
                .isNotEmpty();
    }

    @Test
    void watch_badAnswer_isSaidOnce() {
        ContractWatch watch = ContractWatch.ofAnswers();
        watch.accept(exchange("GET", "/v2/droplets", "{\"droplets\":[]}", false));
        assertThatThrownBy(watch::check).isInstanceOf(AssertionError.class).hasMessageContaining("/v2/droplets");
        assertThatCode(watch::check).doesNotThrowAnyException();
    }

    @Test
    void watch_badAnswerThatAFaultMade_isLetPass() {
        ContractWatch watch = ContractWatch.ofAnswers();
        watch.accept(exchange("GET", "/v2/droplets", "<html>", true));
        assertThatCode(watch::check).doesNotThrowAnyException();
    }

    @Test
    void watch_badRequest_isSaidOfTheLibraryAlone() {
        Exchange exchange = exchange("GET", "/v2/droplets/7/kernel", "", true);
        ContractWatch ofAnswers = ContractWatch.ofAnswers();
        ofAnswers.accept(exchange);
        assertThatCode(ofAnswers::check).doesNotThrowAnyException();
        ContractWatch ofAll = ContractWatch.ofAll();
        ofAll.accept(exchange);
        assertThatThrownBy(ofAll::check).isInstanceOf(AssertionError.class).hasMessageContaining("kernel");
    }

    private static Exchange exchange(String method, String path, String answer, boolean faulty) {
        return new Exchange(new RecordedRequest(Instant.EPOCH, method, path, "", "", 200), answer, faulty);
    }
}

package dev.promguard.digitalocean;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** That the check of all other tests' requests and answers is not blind: it refuses what is known to be bad. */
class ContractTest {
    @BeforeEach
    void needTheContract() {
        assumeTrue(
                Contract.find().isPresent(),
                "DigitalOcean's OpenAPI contract is not there: name its openapi.json with -Dpromguard.contract=…");
    }

    private static Contract contract() {
        return Contract.find().orElseThrow();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
            GET    | /v2/account                                   | ''
            GET    | /v2/droplets?tag_name=a%3Ab&per_page=200&page=1 | ''
            GET    | /v2/images?type=distribution&per_page=200     | ''
            GET    | /v2/droplets/12                               | ''
            GET    | /v2/droplets/12/actions                       | ''
            DELETE | /v2/droplets/12                               | ''
            DELETE | /v2/tags/a%3Ab                                | ''
            GET    | /v2/account/keys/aa:bb                        | ''
            POST   | /v2/account/keys                              | {"name":"a","public_key":"ssh-ed25519 AAAA"}
            POST   | /v2/droplets                                  | {"names":["a"],"size":"s","image":"i","tags":["a:b"],"ssh_keys":[1]}
            """)
    void request_good_passes(String method, String url, String body) {
        assertThat(contract().inRequest(method, url, body)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
            PATCH  | /v2/account                                   | ''
            GET    | /v2/account?page=1                            | ''
            GET    | /v2/dropplets                                 | ''
            GET    | /v2/droplets?per_page=201                     | ''
            GET    | /v2/droplets?per_page=many                    | ''
            GET    | /v2/droplets?tag=a                            | ''
            GET    | /v2/regions?tag_name=a                        | ''
            GET    | /v2/sizes?per_page=0                          | ''
            GET    | /v2/images?type=debian                        | ''
            GET    | /v2/tags?name=a                               | ''
            DELETE | /v2/droplets/12?force=true                    | ''
            DELETE | /v2/tags/a/b                                  | ''
            DELETE | /v2/account/keys                              | ''
            GET    | /v2/droplets/12/actions?status=errored        | ''
            GET    | /v2/account                                   | {}
            POST   | /v2/account/keys                              | {"name":"a"}
            POST   | /v2/account/keys                              | {"name":"a","public_key":7}
            POST   | /v2/account/keys                              | {"name":"a","public_key":"k","comment":"x"}
            POST   | /v2/droplets                                  | {}
            POST   | /v2/droplets                                  | {"names":"a","size":"s","image":"i"}
            POST   | /v2/droplets                                  | {"names":[],"size":"s","image":"i"}
            POST   | /v2/droplets                                  | {"names":["a","b","c","d","e","f","g","h","i","j","k"],"size":"s","image":"i"}
            POST   | /v2/droplets                                  | {"names":["a b"],"size":"s","image":"i"}
            POST   | /v2/droplets                                  | {"names":["a"],"image":"i"}
            POST   | /v2/droplets                                  | {"names":["a"],"size":"s","image":"i","vpc_uuid":null}
            POST   | /v2/droplets                                  | {"names":["a"],"size":"s","image":"i","userdata":"x"}
            POST   | /v2/droplets                                  | {"names":["a"],"size":"s","image":"i","tags":["a b"]}
            POST   | /v2/droplets                                  | {"names":["a"],"size":"s","image":"i","ssh_keys":[true]}
            """)
    void request_bad_isRefused(String method, String url, String body) {
        assertThat(contract().inRequest(method, url, body)).isNotEmpty();
    }

    @Test
    void request_userDataOverTheLimit_isRefused() {
        String body = "{\"names\":[\"a\"],\"size\":\"s\",\"image\":\"i\",\"user_data\":\"" + "x".repeat(65_537) + "\"}";

        assertThat(contract().inRequest("POST", "/v2/droplets", body)).containsExactly("user_data over 64 KiB");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
            GET    | /v2/account      | 200 | {"account":{"droplet_limit":"many"}}
            GET    | /v2/account      | 202 | {}
            GET    | /v2/account      | 401 | {"id":"Unauthorized"}
            GET    | /v2/droplets     | 200 | {"droplets":[{"id":1}],"links":{},"meta":{"total":1}}
            GET    | /v2/droplets     | 200 | {"droplets":[],"links":{}}
            GET    | /v2/droplets     | 200 | ''
            POST   | /v2/droplets     | 202 | {"droplets":[]}
            POST   | /v2/account/keys | 201 | {"ssh_key":{"id":1}}
            GET    | /v2/regions      | 200 | {"regions":[{"slug":"tor1"}],"meta":{"total":1}}
            GET    | /v2/sizes        | 200 | {"sizes":[{"slug":"s"}],"meta":{"total":1}}
            GET    | /v2/images       | 200 | {"images":[{"id":"x"}],"meta":{"total":1}}
            GET    | /v2/tags         | 200 | {"tags":[{"name":"a b"}],"meta":{"total":1}}
            GET    | /v2/droplets/1   | 200 | {"droplet":{"id":1}}
            GET    | /v2/droplets/1/actions | 200 | {"actions":[{"status":"failed"}],"meta":{"total":1}}
            DELETE | /v2/droplets/1   | 204 | {}
            DELETE | /v2/droplets/1   | 422 | {"message":"x"}
            """)
    void answer_bad_isRefused(String method, String url, int status, String body) {
        assertThat(contract().inAnswer(method, url, status, body)).isNotEmpty();
    }
}

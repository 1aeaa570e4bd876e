import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import org.apache.spark.deploy.SparkSubmit;
import org.apache.spark.util.Utils;

/**
 * Runs spark-submit, one application after the other, and records what it asks of
 * the API server. All of spark-submit is real; the API server accepts everything.
 *
 * Usage: java -cp "$SPARK_HOME/jars/*" Submit.java questions.json answers.json
 */
public class Submit {
  static final ObjectMapper JSON = new ObjectMapper();
  // JSON is YAML, so that this reads both.
  static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

  static ArrayNode requests;

  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", Submit::accept);
    server.setExecutor(Executors.newSingleThreadExecutor());
    server.start();
    String api = "http://127.0.0.1:" + server.getAddress().getPort();

    ObjectNode answers = JSON.createObjectNode();
    answers.put("sparkVersion", org.apache.spark.package$.MODULE$.SPARK_VERSION());
    ArrayNode cases = answers.putArray("cases");
    for (JsonNode question : JSON.readTree(new File(args[0]))) {
      cases.add(answer(question, api));
    }
    JSON.writeValue(new File(args[1]), answers);
    // Clients of the API server may have left threads.
    System.exit(0);
  }

  static ObjectNode answer(JsonNode question, String api) throws Exception {
    ObjectNode answer = JSON.createObjectNode();
    answer.set("name", question.get("name"));
    Path dir = Files.createTempDirectory("conformance");
    requests = JSON.createArrayNode();
    try {
      new SparkSubmit().doSubmit(arguments(question, dir, api).toArray(new String[0]));
    } catch (Throwable refused) {
      answer.put("error", refused.getClass().getSimpleName() + ": " + reason(refused));
    } finally {
      Utils.deleteRecursively(dir.toFile());
    }
    String text = JSON.writeValueAsString(requests)
        .replace(dir.toString(), "/templates").replace(api, "https://kubernetes.default.svc");
    answer.set("requests", JSON.readTree(text));
    return answer;
  }

  static String reason(Throwable refused) {
    return String.valueOf(refused.getMessage()).lines().findFirst().orElse("");
  }

  /** The command line that a user would write. */
  static List<String> arguments(JsonNode question, Path dir, String api) throws IOException {
    List<String> args = new ArrayList<>(List.of("--master", "k8s://" + api, "--deploy-mode", "cluster"));
    option(args, "--class", question.path("class").asText());
    option(args, "--proxy-user", question.path("proxyUser").asText());
    conf(args, "spark.kubernetes.submission.waitAppCompletion", "false");
    question.path("conf").fields().forEachRemaining(e -> conf(args, e.getKey(), e.getValue().asText()));
    for (String role : List.of("driver", "executor")) {
      String template = question.path(role + "Template").asText();
      if (!template.isEmpty()) {
        Path file = Files.writeString(dir.resolve(role + ".yaml"), template);
        conf(args, "spark.kubernetes." + role + ".podTemplateFile", file.toString());
      }
    }
    args.add(question.get("resource").asText());
    question.path("args").forEach(arg -> args.add(arg.asText()));
    return args;
  }

  static void option(List<String> args, String name, String value) {
    if (!value.isEmpty()) {
      args.add(name);
      args.add(value);
    }
  }

  static void conf(List<String> args, String key, String value) {
    option(args, "--conf", key + "=" + value);
  }

  /** Records a request and answers as an API server that takes what it is given. */
  static void accept(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    ObjectNode object = JSON.createObjectNode();
    if (!body.isEmpty()) {
      ObjectNode request = requests.addObject();
      request.put("method", exchange.getRequestMethod());
      request.put("path", exchange.getRequestURI().getPath());
      object = (ObjectNode) YAML.readTree(body);
      request.set("object", object.deepCopy());
      if (object.get("metadata") instanceof ObjectNode) {
        ((ObjectNode) object.get("metadata")).put("uid", "11111111-2222-3333-4444-555555555555");
      }
    }
    byte[] reply = JSON.writeValueAsBytes(object);
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(exchange.getRequestMethod().equals("POST") ? 201 : 200, reply.length);
    exchange.getResponseBody().write(reply);
    exchange.close();
  }
}

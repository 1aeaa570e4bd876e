import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkSubmit;
import org.apache.spark.deploy.SparkSubmitArguments;
import org.apache.spark.deploy.k8s.KubernetesConf$;
import org.apache.spark.deploy.k8s.KubernetesDriverConf;
import org.apache.spark.deploy.k8s.KubernetesDriverSpec;
import org.apache.spark.deploy.k8s.KubernetesExecutorConf;
import org.apache.spark.deploy.k8s.SparkPod;
import org.apache.spark.deploy.k8s.submit.ClientArguments;
import org.apache.spark.deploy.k8s.submit.ClientArguments$;
import org.apache.spark.deploy.k8s.submit.KubernetesClientUtils$;
import org.apache.spark.deploy.k8s.submit.KubernetesDriverBuilder;
import org.apache.spark.network.util.ByteUnit;
import org.apache.spark.network.util.JavaUtils;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfile$;
import org.apache.spark.scheduler.cluster.SchedulerBackendUtils$;
import org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBuilder;
import org.apache.spark.util.Utils;
import scala.Option;
import scala.Tuple2;
import scala.collection.Iterator;
import scala.collection.immutable.List$;

/**
 * Asks Spark's own classes what they make of a table of settings. The way is
 * the real one: spark-submit's argument handling, the driver's feature steps
 * and properties file, the driver's reading of that file, the executor's
 * feature steps. Only the calls to an API server are left out.
 *
 * Usage: java -cp "$SPARK_HOME/jars/*" Conformance.java questions.json answers.json
 */
public class Conformance {
  static final ObjectMapper JSON = new ObjectMapper();
  static final String APP_ID = "spark-00000000000000000000000000000000";

  public static void main(String[] args) throws Exception {
    JsonNode questions = JSON.readTree(new File(args[0]));
    ObjectNode answers = JSON.createObjectNode();
    answers.put("sparkVersion", org.apache.spark.package$.MODULE$.SPARK_VERSION());
    try (KubernetesClient client = new KubernetesClientBuilder()
        .withConfig(new ConfigBuilder().withMasterUrl("https://127.0.0.1:1").build()).build()) {
      ArrayNode executors = answers.putArray("executors");
      for (JsonNode question : questions.get("executors")) {
        executors.add(executors(question, client));
      }
    }
    ArrayNode memory = answers.putArray("memory");
    for (JsonNode text : questions.get("memory")) {
      memory.add(memory(text.asText()));
    }
    ArrayNode properties = answers.putArray("properties");
    for (JsonNode text : questions.get("properties")) {
      properties.add(properties(text.asText()));
    }
    JSON.writeValue(new File(args[1]), answers);
  }

  /** One application: what is submitted, and the executor pod that comes of it. */
  static ObjectNode executors(JsonNode question, KubernetesClient client) throws Exception {
    ObjectNode answer = JSON.createObjectNode();
    answer.set("name", question.get("name"));
    Path dir = Files.createTempDirectory("conformance");
    try {
      Submission submission = submit(question, dir, client);
      answer.put("properties", submission.properties);
      answer.set("driver", JSON.readTree(Serialization.asJson(submission.driver)));
      SparkConf conf = driverConf(submission.properties, question, dir);
      answer.put("initialExecutors", SchedulerBackendUtils$.MODULE$.getInitialTargetExecutorNumber(conf, 2));
      answer.set("executor", JSON.readTree(Serialization.asJson(executor(conf, submission.driver, client))));
    } catch (Throwable refused) {
      String message = String.valueOf(refused.getMessage()).replace(dir.toString(), "");
      answer.put("error", refused.getClass().getSimpleName() + ": " + message.lines().findFirst().orElse(""));
    } finally {
      Utils.deleteRecursively(dir.toFile());
    }
    return answer;
  }

  static final class Submission {
    String properties;
    Pod driver;
  }

  /** What spark-submit leaves in the cluster. */
  static Submission submit(JsonNode question, Path dir, KubernetesClient client) throws Exception {
    List<String> args = new ArrayList<>(List.of(
        "--master", "k8s://https://127.0.0.1:1", "--deploy-mode", "cluster", "--name", "case"));
    conf(args, "spark.kubernetes.container.image", "spark");
    question.get("conf").fields().forEachRemaining(e -> conf(args, e.getKey(), e.getValue().asText()));
    if (!question.path("template").asText().isEmpty()) {
      conf(args, "spark.kubernetes.executor.podTemplateFile", template(question, dir));
    }
    args.addAll(application(question));

    var prepared = new SparkSubmit().prepareSubmitEnvironment(arguments(args), Option.empty());
    List<String> childArgs = new ArrayList<>();
    for (Iterator<String> it = prepared._1().iterator(); it.hasNext(); ) {
      childArgs.add(it.next());
    }
    ClientArguments main = ClientArguments$.MODULE$.fromCommandLineArgs(childArgs.toArray(new String[0]));
    KubernetesDriverConf conf = KubernetesConf$.MODULE$.createDriverConf(
        prepared._3(), APP_ID, main.mainAppResource(), main.mainClass(), main.driverArgs(), main.proxyUser());
    KubernetesDriverSpec spec = new KubernetesDriverBuilder().buildFromFeatures(conf, client);

    Submission submission = new Submission();
    submission.properties = KubernetesClientUtils$.MODULE$
        .buildSparkConfDirFilesMap("conf-map", conf.sparkConf(), spec.systemProperties())
        .apply("spark.properties");
    submission.driver = slim(spec.pod());
    submission.driver.getMetadata().setNamespace(conf.namespace());
    submission.driver.getSpec().setContainers(List.of());
    return submission;
  }

  /** The settings as the driver has them once it runs its own spark-submit. */
  static SparkConf driverConf(String properties, JsonNode question, Path dir) throws Exception {
    Path file = dir.resolve("spark.properties");
    Files.writeString(file, properties);
    List<String> args = new ArrayList<>(List.of(
        "--deploy-mode", "client", "--properties-file", file.toString(), "--conf", "spark.driver.bindAddress=10.0.0.1"));
    args.addAll(application(question));
    SparkSubmitArguments checked = arguments(args);

    SparkConf conf = new SparkConf(false);
    for (Iterator<Tuple2<String, String>> it = checked.sparkProperties().iterator(); it.hasNext(); ) {
      Tuple2<String, String> entry = it.next();
      conf.set(entry._1(), entry._2());
    }
    if (conf.contains("spark.kubernetes.executor.podTemplateFile")) {
      // In the cluster the ConfigMap with the template is mounted at this path.
      conf.set("spark.kubernetes.executor.podTemplateFile", template(question, dir));
    }
    return conf;
  }

  static Pod executor(SparkConf conf, Pod driver, KubernetesClient client) {
    ResourceProfile$.MODULE$.clearDefaultProfile();
    ResourceProfile profile = ResourceProfile$.MODULE$.getOrCreateDefaultProfile(conf);
    KubernetesExecutorConf executorConf =
        KubernetesConf$.MODULE$.createExecutorConf(conf, "1", APP_ID, Option.apply(driver), 0);
    SecurityManager security = new SecurityManager(
        conf, SecurityManager.$lessinit$greater$default$2(), SecurityManager.$lessinit$greater$default$3());
    return slim(new KubernetesExecutorBuilder().buildFromFeatures(executorConf, security, client, profile).pod());
  }

  /** The pod as Spark sends it, without what no placement depends on. */
  static Pod slim(SparkPod pod) {
    Pod whole = new PodBuilder(pod.pod()).editOrNewSpec().addToContainers(pod.container()).endSpec().build();
    whole.getSpec().setHostname(null);
    for (Container container : whole.getSpec().getContainers()) {
      container.setEnv(List.of());
      container.setArgs(List.of());
      container.setVolumeMounts(List.of());
    }
    return whole;
  }

  static List<String> application(JsonNode question) {
    switch (question.get("app").asText()) {
      case "python":
        return List.of("local:///opt/app.py");
      case "r":
        return List.of("local:///opt/app.R");
      default:
        return List.of("--class", "App", "local:///opt/app.jar");
    }
  }

  static SparkSubmitArguments arguments(List<String> args) {
    scala.collection.immutable.List<String> list = List$.MODULE$.empty();
    for (int i = args.size() - 1; i >= 0; i--) {
      list = list.$colon$colon(args.get(i));
    }
    return new SparkSubmitArguments(list, SparkSubmitArguments.$lessinit$greater$default$2());
  }

  static void conf(List<String> args, String key, String value) {
    args.add("--conf");
    args.add(key + "=" + value);
  }

  static String template(JsonNode question, Path dir) throws Exception {
    Path file = dir.resolve("template.yaml");
    Files.writeString(file, question.get("template").asText());
    return file.toString();
  }

  /** A memory string as MiB and as bytes. */
  static ObjectNode memory(String text) {
    ObjectNode answer = JSON.createObjectNode().put("text", text);
    for (Map.Entry<String, ByteUnit> unit : Map.of("mib", ByteUnit.MiB, "bytes", ByteUnit.BYTE).entrySet()) {
      try {
        answer.put(unit.getKey(), JavaUtils.byteStringAs(text, unit.getValue()));
      } catch (RuntimeException refused) {
        answer.putNull(unit.getKey());
      }
    }
    return answer;
  }

  /** A properties text as Spark loads it. */
  static ObjectNode properties(String text) throws Exception {
    ObjectNode answer = JSON.createObjectNode().put("text", text);
    Path file = Files.createTempFile("conformance", ".properties");
    try {
      Files.writeString(file, text);
      var loaded = Utils.getPropertiesFromFile(file.toString());
      ObjectNode values = answer.putObject("values");
      for (Iterator<Tuple2<String, String>> it = loaded.iterator(); it.hasNext(); ) {
        Tuple2<String, String> entry = it.next();
        values.put(entry._1(), entry._2());
      }
    } catch (IllegalArgumentException refused) {
      answer.put("error", refused.getMessage());
    } finally {
      Files.delete(file);
    }
    return answer;
  }
}

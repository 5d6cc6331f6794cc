# `cmake --install`: programs in bin, launch files beside them in share; they run from anywhere.
include(GNUInstallDirs)

install(TARGETS dnn_train dnn_predict dnn_model dnn_watch RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(PROGRAMS ${PROJECT_SOURCE_DIR}/launch/dnn_run DESTINATION ${CMAKE_INSTALL_BINDIR})
install(PROGRAMS ${PROJECT_SOURCE_DIR}/launch/slurm.sbatch ${PROJECT_SOURCE_DIR}/launch/pbs.sh
                 ${PROJECT_SOURCE_DIR}/launch/model_parallel.sbatch ${PROJECT_SOURCE_DIR}/launch/to_mlflow.py
                 ${PROJECT_SOURCE_DIR}/launch/parquet_to_csv.py
                 ${PROJECT_SOURCE_DIR}/launch/lsf.sh ${PROJECT_SOURCE_DIR}/launch/flux.sh
        DESTINATION ${CMAKE_INSTALL_DATADIR}/dnn_train)
install(FILES ${PROJECT_SOURCE_DIR}/launch/example.toml
              ${PROJECT_SOURCE_DIR}/launch/fashion_mnist.toml
        DESTINATION ${CMAKE_INSTALL_DATADIR}/dnn_train)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR})

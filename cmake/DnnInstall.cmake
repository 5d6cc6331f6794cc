# `cmake --install`: programs in bin, launch files beside them in share; they run from anywhere, and the folder may be
# moved. Each rule names the component (and so the package, see DnnPackages.cmake) that it belongs to.
include(GNUInstallDirs)
include(DnnManuals)

install(TARGETS dnn_train dnn_predict dnn_model dnn_watch
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
install(PROGRAMS ${PROJECT_SOURCE_DIR}/launch/dnn_run DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
install(PROGRAMS ${PROJECT_SOURCE_DIR}/launch/slurm.sbatch ${PROJECT_SOURCE_DIR}/launch/pbs.sh
                 ${PROJECT_SOURCE_DIR}/launch/model_parallel.sbatch ${PROJECT_SOURCE_DIR}/launch/to_mlflow.py
                 ${PROJECT_SOURCE_DIR}/launch/parquet_to_csv.py
                 ${PROJECT_SOURCE_DIR}/launch/lsf.sh ${PROJECT_SOURCE_DIR}/launch/flux.sh
        DESTINATION ${CMAKE_INSTALL_DATADIR}/dnn_train COMPONENT programs)
install(FILES ${PROJECT_SOURCE_DIR}/launch/example.toml
              ${PROJECT_SOURCE_DIR}/launch/fashion_mnist.toml
        DESTINATION ${CMAKE_INSTALL_DATADIR}/dnn_train COMPONENT programs)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT programs)
# `module use PREFIX/share/dnn_train/modulefiles; module load dnn_train`
install(FILES ${PROJECT_SOURCE_DIR}/cmake/packages/modulefile
        DESTINATION ${CMAKE_INSTALL_DATADIR}/dnn_train/modulefiles/dnn_train RENAME ${PROJECT_VERSION}
        COMPONENT programs)

dnn_add_manual(dnn_train "trains dense neural networks on any number of MPI ranks")
dnn_add_manual(dnn_predict "scores data with models that dnn_train saved")
dnn_add_manual(dnn_model "describes, checks, compares and exports models that dnn_train saved" --help-all)
dnn_add_manual(dnn_watch "shows runs of dnn_train in a browser or terminal while they train")
dnn_add_manual(dnn_run "runs a training job of dnn_train to its end, with restarts")
